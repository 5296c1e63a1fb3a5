import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { FICKLE, FicklePlace, specsText } from "./fickle.ts";

const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "scythe-retry-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const place = new FicklePlace(folder);

function scythe(...args: string[]) {
  const run = spawnSync(process.execPath, [MAIN, ...args, "--storage", place.storage], {
    cwd: FICKLE,
    encoding: "utf8",
  });
  return { status: run.status, out: run.stdout, told: run.stderr };
}

function specFile(name: string, from: number, to: number): string {
  const path = join(folder, name);
  writeFileSync(path, specsText(place.specs(from, to)));
  return path;
}

test("the command line runs failed specs again, adds specs, and shows what was done", () => {
  place.mend("exits");
  const first = scythe("run", "fickle", "--specs", specFile("specs.json", 0, 12), "--json");
  expect(first.status).toBe(3);
  const { experiment_id: id, ...counts } = JSON.parse(first.out);
  expect(counts).toMatchObject({ failed_by_kind: { error: 1, timeout: 1 }, generation: 0, retried: null });

  const none = scythe("retry", id, "--failed", "--kind", "crash");
  expect(none).toMatchObject({ status: 0, out: "" });
  expect(none.told).toContain("has no failed specs of kind crash; it has: error 1 · timeout 1. Nothing was run.");
  expect(scythe("retry", id, "--spec", "2")).toMatchObject({ status: 2 });
  expect(scythe("retry", id, "--spec", "two").told).toContain("whole numbers");

  const one = scythe("retry", id, "--spec", "4"); // told of it alone, though spec 9 still stands as failed, too
  expect(one.status).toBe(3);
  expect(one.told).toContain("1 of 1 spec failed again; 10 of 12 have succeeded by now");
  expect(one.told).toMatch(/kinds +error 1\n +first +spec 4 {2}error/);
  expect(one.told).not.toMatch(/spec 9|timeout/);

  const slower = scythe("retry", id, "--kind", "timeout", "--timeout", "30s");
  expect(slower).toMatchObject({ status: 3, out: `${id}\n` }); // the other still fails
  expect(slower.told).toContain("✓ 1 spec succeeded this time; 11 of 12 have succeeded by now");
  place.mend("throws");
  const whole = scythe("retry", "fickle", "--json");
  expect(whole.status).toBe(0);
  expect(JSON.parse(whole.out)).toMatchObject({
    ...{ status: "complete", generation: 3, retried: { specs: 1, succeeded: 1, failed: 0 }, allocated: 12, failed: 0 },
  });
  const shown = scythe("show", id).out;
  expect(shown).toMatch(/retry 2 +1 spec \(timeout\), 30 s each at most · 1 recovered/);
  expect(shown).toMatch(/retry 3 +1 spec · 1 recovered/);

  const more = scythe("extend", "fickle", specFile("more.json", 12, 15));
  expect(more.status).toBe(3);
  expect(more.out).toMatch(/^fickle\/v1\.0\.1\//);
  expect(more.told).toContain(`12 specs of ${id} kept; 3 to run`);
  expect(more.told).toContain("1 of 15 specs failed, 14 succeeded");
  expect(scythe("show", "fickle@v1.0.1").out).toContain(`parent      ${id}`);
}, 120_000);

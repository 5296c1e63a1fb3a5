import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCli } from "./cli.ts";
import { FICKLE, FicklePlace, specsText } from "./fickle.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-retry-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const place = new FicklePlace(folder);

const scythe = (...args: string[]) => runCli([...args, "--storage", place.storage], { cwd: FICKLE });

function specFile(name: string, from: number, to: number): string {
  const path = join(folder, name);
  writeFileSync(path, specsText(place.specs(from, to)));
  return path;
}

test("the command line runs failed specs again, adds specs, and shows what was done", async () => {
  place.mend("exits");
  const first = await scythe("run", "fickle", "--specs", specFile("specs.json", 0, 12), "--json");
  expect(first.code).toBe(3);
  const { experiment_id: id, ...counts } = JSON.parse(first.out);
  expect(counts).toMatchObject({ failed_by_kind: { error: 1, timeout: 1 }, generation: 0, retried: null });

  const none = await scythe("retry", id, "--failed", "--kind", "crash");
  expect(none).toMatchObject({ code: 0, out: "" });
  expect(none.err).toContain("has no failed specs of kind crash; it has: error 1 · timeout 1. Nothing was run.");
  expect(await scythe("retry", id, "--spec", "2")).toMatchObject({ code: 2 });
  expect((await scythe("retry", id, "--spec", "two")).err).toContain("whole numbers");

  const one = await scythe("retry", id, "--spec", "4"); // told of it alone, though spec 9 still stands as failed, too
  expect(one.code).toBe(3);
  expect(one.err).toContain("1 of 1 spec failed again; 10 of 12 have succeeded so far");
  expect(one.err).toMatch(/kinds +error 1\n +first +spec 4 {2}error/);
  expect(one.err).not.toMatch(/spec 9|timeout/);

  const slower = await scythe("retry", id, "--kind", "timeout", "--timeout", "30s");
  expect(slower).toMatchObject({ code: 3, out: `${id}\n` }); // the other still fails
  expect(slower.err).toContain("✓ 1 spec succeeded this time; 11 of 12 have succeeded so far");
  place.mend("throws");
  const whole = await scythe("retry", "fickle", "--json");
  expect(whole.code).toBe(0);
  expect(JSON.parse(whole.out)).toMatchObject({
    status: "complete",
    generation: 3,
    retried: { specs: 1, succeeded: 1, failed: 0 },
    allocated: 12,
    failed: 0,
  });
  const { out: shown } = await scythe("show", id);
  expect(shown).toMatch(/retry 2 +1 spec \(timeout\), 30 s each at most · 1 recovered/);
  expect(shown).toMatch(/retry 3 +1 spec · 1 recovered/);

  const more = await scythe("extend", "fickle", specFile("more.json", 12, 15));
  expect(more.code).toBe(3);
  expect(more.out).toMatch(/^fickle\/v1\.0\.1\//);
  expect(more.err).toContain(`12 specs of ${id} kept; 3 to run`);
  expect(more.err).toContain("1 of 15 specs failed, 14 succeeded");
  expect((await scythe("show", "fickle@v1.0.1")).out).toContain(`parent      ${id}`);
}, 120_000);

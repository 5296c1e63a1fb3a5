import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openProject } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withDuckDb } from "../src/table/duckdb.ts";
// @ts-expect-error a plain program's module, without types
import { assertAllSucceeded, assertTable, finalTable } from "./finished.mjs";
// @ts-expect-error a plain program's module, without types
import { partsOf, takeBackTheEnd } from "./unfinished.mjs";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "scythe-bench-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bench(name: string, ...args: string[]): Record<string, unknown> {
  const storage = mkdtempSync(join(folder, "storage-"));
  const command = [here(name), "--storage", storage, ...args];
  return JSON.parse(execFileSync(process.execPath, command, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
}

describe("a benchmark", () => {
  it("merges the parts of a run in each round", () => {
    const line = bench("gather.mjs", "--specs", "3000");
    expect(line).toMatchObject({ specs: 3000, rounds: 3 });
    expect(line.parts).toBeGreaterThan(0);
  });

  it("drives a run on to its end", () => {
    expect(bench("resume.mjs", "--specs", "3000", "--chunk-size", "300")).toMatchObject({
      ...{ specs: 3000, parts: 9, doneBefore: 2700, succeeded: 3000, failed: 0 },
    });
  });

  it("takes the size of chunks", () => {
    expect(bench("ours.mjs", "--specs", "400", "--chunk", "100")).toMatchObject({ specs: 400, succeeded: 400 });
  });
});

describe("what was not done has no number", () => {
  let run: string;
  beforeAll(async () => {
    await using scythe = await openProject(here("project"), { storage: join(folder, "data"), engine: "inline" });
    const specs = Array.from({ length: 50 }, () => ({ ms: 0.01 }));
    const allocated = await scythe.allocate("spin", specs, { seed: 1 });
    const { report } = await allocated.result();
    run = fileURLToPath(allocated.uri);
    assertAllSucceeded(report, 50);
    expect(() => assertAllSucceeded(report, 51)).toThrow();
    expect(() => assertAllSucceeded({ ...report, succeeded: 49, failed: 1 }, 50)).toThrow();
  });

  it.each([
    ["a row less", "SELECT * FROM t WHERE sort_index < 49"],
    ["a row twice", "SELECT * FROM t WHERE sort_index < 49 UNION ALL SELECT * FROM t WHERE sort_index = 7"],
    ["an empty cell", "SELECT * REPLACE (CASE sort_index WHEN 3 THEN NULL ELSE turns END AS turns) FROM t"],
  ])("of a table with %s", async (_name, query) => {
    const table = finalTable(run);
    await assertTable(table, { rows: 50, column: "turns" });
    const harmed = join(folder, "harmed.pq");
    await withDuckDb({}, 0, async (duck) => {
      await duck.run(`CREATE TABLE t AS SELECT * FROM parquet_scan('${table}')`, "read");
      await duck.run(`COPY (${query}) TO '${harmed}' (FORMAT parquet)`, "harm");
    });
    await expect(assertTable(harmed, { rows: 50, column: "turns" })).rejects.toThrow();
  });

  it("of a run that still has its end", () => {
    const parts = partsOf(run);
    takeBackTheEnd(run, "running");
    expect(existsSync(finalTable(run))).toBe(false);
    expect(partsOf(run)).toEqual(parts);
  });
});

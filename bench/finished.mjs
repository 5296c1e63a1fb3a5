/**
 * A benchmark whose work was not done prints no number: each asks here before it does.
 */
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { withDuckDb } from "../dist/table/duckdb.js";

/** Every spec of the run succeeded, and says so in its report. */
export function assertAllSucceeded(report, specs) {
  const { allocated, succeeded, failed, missing } = report;
  assert.deepEqual(
    { allocated, succeeded, failed, missing },
    { allocated: specs, succeeded: specs, failed: 0, missing: 0 },
  );
}

/**
 * A Parquet table holds as many rows as there are specs, each spec's once, and no empty cell among its numbers.
 * @param {string} path
 * @param {{ rows: number, column: string, sortIndex?: boolean }} expected `column` is one of the computed numbers
 */
export async function assertTable(path, { rows, column, sortIndex = true }) {
  assert(existsSync(path) && statSync(path).size > 0, `${path} was not written`);
  const source = `read_parquet('${path.replaceAll("'", "''")}', hive_partitioning = false)`;
  const one = sortIndex ? "count(DISTINCT sort_index)" : "count(*)";
  const [found] = await withDuckDb({ memoryMb: 1024 }, rows, (duck) =>
    duck.rows(`SELECT count(*) AS n, ${one} AS specs, count("${column}") AS numbers FROM ${source}`),
  );
  const counts = { n: Number(found.n), specs: Number(found.specs), numbers: Number(found.numbers) };
  assert.deepEqual(counts, { n: rows, specs: rows, numbers: rows }, path);
}

/** The tables of a run that lies in a folder. */
export function finalTable(folder, name = "scalars") {
  return join(folder, "final", `${name}.pq`);
}

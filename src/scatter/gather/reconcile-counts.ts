import type { Duck } from "../../table/duckdb.ts";
import { parquetRows } from "../../table/parquet-sql.ts";

export interface ReconciledCounts {
  specs: number;
  rows: number;
  /** Every spec has exactly one row, and there are no others. */
  balanced: boolean;
}

/**
 * Compares specs with their rows, succeeded and failed, without loading them: equal counts, and equal sums of the
 * hashes of all `sort_index`.
 */
export async function reconcileCounts(
  duck: Duck,
  specs: string,
  files: readonly (readonly string[])[],
): Promise<ReconciledCounts> {
  const there = files
    .filter((group) => group.length > 0)
    .map((group) => `SELECT CAST(sort_index AS BIGINT) AS i FROM ${parquetRows(group)}`)
    .join(" UNION ALL ");
  const print = (from: string) => `SELECT count(*) AS n, CAST(sum(hash(i)) AS VARCHAR) AS h FROM (${from})`;
  const [expected] = await duck.rows(print(`SELECT sort_index AS i FROM ${parquetRows(specs)}`));
  const [found] = await duck.rows(print(there));
  const balanced = expected!.n === found!.n && expected!.h === found!.h;
  return { specs: Number(expected!.n), rows: Number(found!.n), balanced };
}

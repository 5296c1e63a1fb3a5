import type { Duck } from "../table/duckdb.ts";
import { parquetFacts } from "../table/parquet-sql.ts";

/** Rows of a row group where rows are small: DuckDB buffers some of these per thread. A multiple of 2,048. */
const ROWS = 61_440;
/** Rows above this are large, and so many bytes of them more than DuckDB can hold of a row group. */
const LARGE_ROW = 4_096;
const MUCH = 64 * 2 ** 20;
const GROUP_BYTES = "4MiB";
/** A row group of a source is held while it is read, decoded, and written. */
const COPIES = 24;

/**
 * Options of a COPY of files inside a run that keep it in its memory also where rows hold megabytes: then row groups are
 * measured in bytes. DuckDB does that only where it need not keep the order; one thread keeps it nevertheless.
 * @param memoryMb what it may take at least
 */
export async function rowGroupOptions(duck: Duck, files: readonly string[], memoryMb: number): Promise<string> {
  if (files.length === 0) return `ROW_GROUP_SIZE ${ROWS}`;
  const [found] = await duck.rows(
    `SELECT CAST(max(bytes) AS DOUBLE) AS largest, CAST(sum(bytes) AS DOUBLE) AS total, max(bytes / rows) AS row_bytes
     FROM (SELECT sum(total_uncompressed_size) AS bytes, max(row_group_num_rows) AS rows
           FROM ${parquetFacts("metadata", files)} WHERE row_group_num_rows > 0 GROUP BY file_name, row_group_id)`,
  );
  const { largest, total, row_bytes: rowBytes } = found as { largest: number; total: number; row_bytes: number };
  const large = rowBytes > LARGE_ROW && total > MUCH;
  const memory = large ? memoryMb + Math.ceil((COPIES * largest) / 2 ** 20) : memoryMb;
  await duck.run(
    `SET memory_limit = '${memory}MiB'; SET threads = ${large ? 1 : 2}; SET preserve_insertion_order = ${!large}`,
    "Could not set up the merge",
  );
  return large ? `ROW_GROUP_SIZE_BYTES '${GROUP_BYTES}', ROW_GROUP_SIZE ${ROWS}` : `ROW_GROUP_SIZE ${ROWS}`;
}

import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Duck } from "../../table/duckdb.ts";
import { ROW_FACTOR } from "../../table/memory-budget.ts";
import { parquetFacts, parquetRows } from "../../table/parquet-sql.ts";
import { literal } from "../../table/sql.ts";
import type { Merge } from "./sources.ts";

/** Rows per row group of small rows; DuckDB buffers some of them per thread. A multiple of 2,048. */
const ROWS = 61_440;
/**
 * Rows of more bytes than this are large. With more than {@link MUCH} bytes of them, DuckDB cannot hold a row group.
 */
const LARGE_ROW = 4_096;
const MUCH = 4 * 2 ** 20;
const BY_BYTES = `ROW_GROUP_SIZE_BYTES '4MiB', ROW_GROUP_SIZE ${ROWS}`;
/** Large rows are sorted this many bytes at a time, or one spec's rows when those are more. */
const WINDOW = 4 * 2 ** 20;

export interface Copy {
  select: string;
  /** Source files; those of one group have the same columns. */
  from: readonly (readonly string[])[];
  /** Columns to order by, `sort_index` first; undefined when the rows are in order already. */
  order: string | undefined;
  /** The Parquet file to write, and SQL of its metadata. */
  target: string;
  metadata: string;
  what: string;
}

/**
 * Writes rows from a run's files as one Parquet file, in memory proportional to the largest row. DuckDB would take up
 * to 2,048 rows at a time, whatever their size. So row groups of large rows are limited in bytes (DuckDB does that only
 * when it need not keep the order, which a single thread keeps anyway), and large rows are sorted in parts.
 */
export async function copyRows(merge: Merge, copy: Copy): Promise<void> {
  const { duck, memoryMb, settings } = merge;
  const groups = copy.from.filter((files) => files.length > 0);
  const found = groups.length === 0 ? undefined : await sizesOf(duck, groups);
  if (!found || found.rowBytes <= LARGE_ROW || found.total <= MUCH) {
    await setUp(duck, memoryMb, 2);
    return copyTo(duck, copy, copy.select, `ROW_GROUP_SIZE ${ROWS}, KV_METADATA ${copy.metadata}`);
  }
  await settings.memory.alone(async () => {
    await setUp(duck, needed(memoryMb, found.largest), 1);
    if (copy.order) await copyInWindows(merge, copy, groups, found.largest);
    else await copyTo(duck, copy, copy.select, `${BY_BYTES}, KV_METADATA ${copy.metadata}`);
  });
}

async function copyTo(duck: Duck, copy: Copy, select: string, options: string, target = copy.target): Promise<void> {
  const order = copy.order ? `ORDER BY ${copy.order}` : "";
  await duck.run(`COPY (${select} ${order}) TO ${literal(target)} (FORMAT parquet, ${options})`, copy.what);
}

/** Sorts the rows of a few specs at a time into one file each, then concatenates the files. */
async function copyInWindows(
  { duck, folder, memoryMb }: Merge,
  copy: Copy,
  groups: Copy["from"],
  largest: number,
): Promise<void> {
  const windows = await windowsOf(duck, groups);
  await setUp(duck, needed(memoryMb, Math.max(largest, ...windows.map(({ bytes }) => bytes))), 1);
  const files: string[] = [];
  for (const { first, last } of windows) {
    const file = join(folder, `window-${files.length}.pq`);
    const own = `SELECT * FROM (${copy.select}) WHERE sort_index BETWEEN ${first} AND ${last}`;
    await copyTo(duck, copy, own, BY_BYTES, file);
    files.push(file);
  }
  const all = { ...copy, order: undefined };
  await copyTo(duck, all, `SELECT * FROM ${parquetRows(files)}`, `${BY_BYTES}, KV_METADATA ${copy.metadata}`);
  for (const file of files) await rm(file);
}

async function setUp(duck: Duck, memoryMb: number, threads: number): Promise<void> {
  await duck.run(
    `SET memory_limit = '${memoryMb}MiB'; SET threads = ${threads}; SET preserve_insertion_order = ${threads > 1}`,
    "Could not set up the merge",
  );
}

function needed(memoryMb: number, bytes: number): number {
  return Math.max(memoryMb, Math.ceil((ROW_FACTOR * bytes) / 2 ** 20));
}

const rowGroups = (files: readonly string[]) =>
  `SELECT file_name, row_group_id, max(row_group_num_rows) AS rows, sum(total_uncompressed_size) AS bytes
   FROM ${parquetFacts("metadata", files)} WHERE row_group_num_rows > 0 GROUP BY file_name, row_group_id`;

/** Bytes of all row groups, of the largest one, and per row of the group with the largest rows. */
async function sizesOf(
  duck: Duck,
  groups: Copy["from"],
): Promise<{ total: number; largest: number; rowBytes: number }> {
  const [found] = await duck.rows(
    `SELECT CAST(coalesce(sum(bytes), 0) AS DOUBLE) AS total, CAST(coalesce(max(bytes), 0) AS DOUBLE) AS largest,
     CAST(coalesce(max(bytes / rows), 0) AS DOUBLE) AS row_bytes FROM (${rowGroups(groups.flat())})`,
  );
  const { total, largest, row_bytes: rowBytes } = found as Record<string, number>;
  return { total: total!, largest: largest!, rowBytes: rowBytes! };
}

/** Ranges of `sort_index`, in order, with the approximate bytes of their rows. */
async function windowsOf(duck: Duck, groups: Copy["from"]): Promise<{ first: number; last: number; bytes: number }[]> {
  const rows = groups.flat().map(
    (file) => `SELECT i, g.bytes / g.rows AS bytes
      FROM (SELECT CAST(sort_index AS BIGINT) AS i, row_number() OVER () - 1 AS at FROM ${parquetRows(file)}) f
      JOIN (SELECT *, sum(rows) OVER (ORDER BY row_group_id) AS until FROM (${rowGroups([file])})) g
      ON f.at >= g.until - g.rows AND f.at < g.until`,
  );
  const found = await duck.rows(
    `SELECT CAST(min(i) AS DOUBLE) AS first, CAST(max(i) AS DOUBLE) AS last, CAST(sum(bytes) AS DOUBLE) AS bytes
     FROM (SELECT i, bytes, floor(sum(bytes) OVER (ORDER BY i) / ${WINDOW}) AS w
           FROM (SELECT i, sum(bytes) AS bytes FROM (${rows.join(" UNION ALL ")}) GROUP BY i))
     GROUP BY w ORDER BY w`,
  );
  return found as { first: number; last: number; bytes: number }[];
}

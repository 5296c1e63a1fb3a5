import { columnTypes, fileMetadata } from "./describe.ts";
import type { Duck } from "./duckdb.ts";
import { parquetFacts, parquetRows } from "./parquet-sql.ts";
import { identifier, literal } from "./sql.ts";

/** Replaces the prefix `from` by `to`. */
export interface Move {
  from: string;
  to: string;
}

/**
 * Rewrites a Parquet file with the prefixes of its texts replaced by `moves`; metadata, order and row groups are kept.
 */
export async function relocateTable(duck: Duck, source: string, target: string, moves: readonly Move[]): Promise<void> {
  const columns = await columnTypes(duck, `SELECT * FROM ${parquetRows(source)}`);
  const replacements = [...columns].flatMap(([column, type]) => {
    const name = identifier(column);
    return type === "VARCHAR" || type === "VARCHAR[]" ? [`${movedColumn(name, type, moves)} AS ${name}`] : [];
  });
  const select = moves.length > 0 && replacements.length > 0 ? `* REPLACE (${replacements.join(", ")})` : "*";
  const options = ["FORMAT parquet", ...(await shape(duck, source)), ...(await metadata(duck, source))];
  await duck.run(
    `COPY (SELECT ${select} FROM ${parquetRows(source)}) TO ${literal(target)} (${options.join(", ")})`,
    "Could not rewrite a table",
  );
}

/** SQL of a text column, or a column of lists of texts, after the moves. */
export function movedColumn(name: string, type: string, moves: readonly Move[]): string {
  return type === "VARCHAR[]" ? `list_transform(${name}, lambda x: ${moved("x", moves)})` : moved(name, moves);
}

/** SQL of a text after the moves; the first match applies. */
function moved(value: string, moves: readonly Move[]): string {
  const cases = moves.map(
    ({ from, to }) =>
      `WHEN starts_with(${value}, ${literal(from)}) THEN ${literal(to)} || substr(${value}, ${[...from].length + 1})`,
  );
  return cases.length === 0 ? value : `CASE ${cases.join(" ")} ELSE ${value} END`;
}

/** The file's row group size and compression, which readers rely on. DuckDB requires multiples of 2,048. */
async function shape(duck: Duck, source: string): Promise<string[]> {
  const [found] = await duck.rows(
    `SELECT max(row_group_num_rows) AS n, any_value(compression) AS codec FROM ${parquetFacts("metadata", source)}`,
  );
  const rows = Number(found?.n ?? 0);
  const codec = String(found?.codec ?? "").toLowerCase();
  return [
    ...(rows > 0 ? [`ROW_GROUP_SIZE ${Math.ceil(rows / 2048) * 2048}`] : []),
    ...(["uncompressed", "snappy", "zstd", "gzip"].includes(codec) ? [`COMPRESSION ${codec}`] : []),
  ];
}

/** The file's own metadata, including pandas' index, as an option of COPY. */
async function metadata(duck: Duck, source: string): Promise<string[]> {
  const own = await fileMetadata(duck, source);
  own.delete("ARROW:schema"); // describes the bytes of the file that was read
  if (own.size === 0) return [];
  const pairs = [...own].map(([key, value]) => `${identifier(key)}: ${literal(value)}`);
  return [`KV_METADATA {${pairs.join(", ")}}`];
}

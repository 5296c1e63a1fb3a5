import type { Duck } from "./duckdb.ts";
import { identifier, literal } from "./sql.ts";

/** Rewrites a Parquet file so that every text that begins with `from` begins with `to`; metadata and order are kept. */
export async function relocateTable(
  duck: Duck,
  source: string,
  target: string,
  from: string,
  to: string,
): Promise<void> {
  const columns = await duck.rows(`DESCRIBE SELECT * FROM read_parquet(${literal(source)})`);
  const moved = (value: string) =>
    `CASE WHEN starts_with(${value}, ${literal(from)})
     THEN ${literal(to)} || substr(${value}, ${from.length + 1}) ELSE ${value} END`;
  const replacements = columns.flatMap(({ column_name, column_type }) => {
    const name = identifier(column_name as string);
    if (column_type === "VARCHAR") return [`${moved(name)} AS ${name}`];
    return column_type === "VARCHAR[]" ? [`list_transform(${name}, lambda x: ${moved("x")}) AS ${name}`] : [];
  });
  const select = replacements.length > 0 ? `* REPLACE (${replacements.join(", ")})` : "*";
  await duck.run(
    `COPY (SELECT ${select} FROM read_parquet(${literal(source)})) TO ${literal(target)} (FORMAT parquet${await metadata(duck, source)})`,
    "Could not rewrite a table",
  );
}

/** The file's own metadata, pandas' index among it, as an option of COPY. */
async function metadata(duck: Duck, source: string): Promise<string> {
  const rows = await duck.rows(
    `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(${literal(source)})`,
  );
  const own = rows.filter(({ key }) => key !== "ARROW:schema"); // describes the bytes of the file that was read
  if (own.length === 0) return "";
  const pairs = own.map(({ key, value }) => `${identifier(key as string)}: ${literal(value as string)}`);
  return `, KV_METADATA {${pairs.join(", ")}}`;
}

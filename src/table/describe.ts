import type { Duck } from "./duckdb.ts";
import { parquetFacts } from "./parquet-sql.ts";

/** The columns of a query's result: name → DuckDB type, in order. */
export async function columnTypes(duck: Duck, query: string): Promise<Map<string, string>> {
  const columns = await duck.rows(`DESCRIBE ${query}`);
  return new Map(columns.map(({ column_name, column_type }) => [column_name as string, column_type as string]));
}

/** A Parquet file's own metadata. */
export async function fileMetadata(duck: Duck, file: string): Promise<Map<string, string>> {
  const rows = await duck.rows(
    `SELECT decode(key) AS key, decode(value) AS value FROM ${parquetFacts("kv_metadata", file)}`,
  );
  return new Map(rows.map(({ key, value }) => [key as string, value as string]));
}

/** Names of the columns that pandas reads as the index of a final table. */
export async function indexNames(duck: Duck, file: string): Promise<string[]> {
  const pandas = (await fileMetadata(duck, file)).get("pandas");
  return pandas === undefined ? [] : (JSON.parse(pandas) as { index_columns: string[] }).index_columns;
}

import type { DuckDBConnection } from "@duckdb/node-api";
import { messageOf, ScytheError } from "../errors.ts";
import { FILE_REFS } from "../scatter/final-columns.ts";
import { columnTypes } from "../table/describe.ts";
import { type Duck, duckOf, type SqlRow, withConnection } from "../table/duckdb.ts";
import { parquetRows, pathSql } from "../table/parquet-sql.ts";
import { identifier, literal } from "../table/sql.ts";
import { assertReads } from "./reading-sql.ts";

/** Most memory of DuckDB for a query, and of the answer. */
const QUERY_MB = 512;
const ANSWER_BYTES = 512 * 2 ** 20;

/** The columns and rows of a query's result. */
export interface Answer {
  columns: string[];
  rows: SqlRow[];
}

/**
 * Runs a read-only query.
 * @param tables name → path of its Parquet file
 * @throws ScytheError `invalid_input` for one that would write, fails or needs too much memory
 */
export async function queryTables(tables: ReadonlyMap<string, string>, sql: string): Promise<Answer> {
  return withConnection({ memoryMb: QUERY_MB }, async (connection) => {
    const duck = duckOf(connection);
    await openTables(duck, tables);
    await assertReads(duck, sql);
    try {
      return await answerOf(connection, sql);
    } catch (error) {
      if (error instanceof ScytheError) throw error;
      if (/^Out of Memory Error/.test(messageOf(error))) throw tooMuch(`needs more than ${QUERY_MB} MiB`, error);
      throw new ScytheError("invalid_input", `The query failed: ${messageOf(error)}`, {
        hint: `Tables: ${[...tables.keys()].join(", ")}. The dialect is DuckDB's.`,
        cause: error,
      });
    }
  });
}

/** Reads the result page by page and stops at the memory limit. */
async function answerOf(connection: DuckDBConnection, sql: string): Promise<Answer> {
  const result = await connection.stream(sql);
  const columns = result.deduplicatedColumnNames();
  const rows: SqlRow[] = [];
  let bytes = 0;
  for await (const page of result.yieldRowsJs()) {
    for (const values of page) {
      for (const value of values) bytes += roughSize(value);
      // not by assignment: a column may be called __proto__
      rows.push(Object.fromEntries(columns.map((name, i) => [name, plain(values[i])])));
    }
    if (bytes > ANSWER_BYTES) throw tooMuch(`gives more than ${ANSWER_BYTES / 2 ** 20} MiB of rows`);
  }
  return { columns, rows };
}

/** Approximate bytes of a value in memory, with its place in a row. */
function roughSize(value: unknown): number {
  if (typeof value === "string") return 32 + 2 * value.length;
  if (typeof value !== "object" || value === null) return 32;
  return Object.values(value).reduce((sum: number, own) => sum + roughSize(own), 64);
}

function tooMuch(what: string, cause?: unknown): ScytheError {
  return new ScytheError("invalid_input", `The query ${what}`, {
    hint: "Ask for fewer rows or columns, or aggregate (LIMIT, GROUP BY). For all of a table: --table <name>, or its Parquet file.",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Views over the tables; then the door is closed: the query reads these files and no others. */
async function openTables(duck: Duck, tables: ReadonlyMap<string, string>): Promise<void> {
  for (const name of tables.keys()) {
    const rows = name === "scalars" && tables.has(FILE_REFS) ? await scalarsSql(duck, tables) : fromFile(tables, name);
    await duck.run(`CREATE VIEW ${identifier(name)} AS ${rows}`, `Could not open ${name}`);
  }
  const paths = [...tables.values()].flatMap((path) => [literal(path), pathSql(path)]); // DuckDB checks both spellings
  await duck.run(`SET allowed_paths = [${paths.join(", ")}]`, "Could not restrict the query");
  await duck.run("SET enable_external_access = false", "Could not restrict the query");
  await duck.run("SET lock_configuration = true", "Could not restrict the query");
}

function fromFile(tables: ReadonlyMap<string, string>, name: string): string {
  return `FROM ${parquetRows(tables.get(name)!)}`;
}

/** The scalars joined with the file outputs, as in `rows()`. */
async function scalarsSql(duck: Duck, tables: ReadonlyMap<string, string>): Promise<string> {
  const [own, files] = [fromFile(tables, "scalars"), fromFile(tables, FILE_REFS)];
  const index = await columnTypes(duck, own);
  const fields = [...(await columnTypes(duck, files)).keys()].filter((name) => !index.has(name)).map(identifier);
  if (fields.length === 0) return own;
  const references = `SELECT sort_index AS __sort_index, ${fields.join(", ")} ${files}`;
  return `SELECT * EXCLUDE (__sort_index) FROM (${own}) LEFT JOIN (${references}) ON sort_index = __sort_index`;
}

/** Counts and sums are bigints; those that a number holds exactly become numbers. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(plain);
  return value;
}

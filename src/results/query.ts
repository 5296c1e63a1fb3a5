import { messageOf, ScytheError } from "../errors.ts";
import { columnTypes } from "../table/describe.ts";
import { type Duck, duckOf, type SqlRow, selectRows, withConnection } from "../table/duckdb.ts";
import { parquetRows, pathSql } from "../table/parquet-sql.ts";
import { identifier, literal } from "../table/sql.ts";
import { FILE_REFS } from "./table-reader.ts";

/** The columns of a query and its rows. */
export interface Answer {
  columns: string[];
  rows: SqlRow[];
}

/** @param tables name → path of its Parquet file */
export async function queryTables(tables: ReadonlyMap<string, string>, sql: string): Promise<Answer> {
  return withConnection({}, async (connection) => {
    const duck = duckOf(connection);
    await openTables(duck, tables);
    try {
      const { columns, rows } = await selectRows(connection, sql);
      return { columns, rows: rows.map(plainRow) };
    } catch (error) {
      throw new ScytheError("invalid_input", `The query failed: ${messageOf(error)}`, {
        hint: `Tables: ${[...tables.keys()].join(", ")}. The dialect is DuckDB's.`,
        cause: error,
      });
    }
  });
}

/** Views over the tables; then the door is closed: the query reads these files and no others. */
async function openTables(duck: Duck, tables: ReadonlyMap<string, string>): Promise<void> {
  for (const name of tables.keys()) {
    const rows = name === "scalars" && tables.has(FILE_REFS) ? await scalarsSql(duck, tables) : fromFile(tables, name);
    await duck.run(`CREATE VIEW ${identifier(name)} AS ${rows}`, `Could not open ${name}`);
  }
  const paths = [...tables.values()].flatMap((path) => [literal(path), pathSql(path)]); // it asks for both
  await duck.run(`SET allowed_paths = [${paths.join(", ")}]`, "Could not restrict the query");
  await duck.run("SET enable_external_access = false", "Could not restrict the query");
  await duck.run("SET lock_configuration = true", "Could not restrict the query");
}

function fromFile(tables: ReadonlyMap<string, string>, name: string): string {
  return `FROM ${parquetRows(tables.get(name)!)}`;
}

/** The scalars with the file outputs beside them, as `rows()` has them. */
async function scalarsSql(duck: Duck, tables: ReadonlyMap<string, string>): Promise<string> {
  const [own, files] = [fromFile(tables, "scalars"), fromFile(tables, FILE_REFS)];
  const index = await columnTypes(duck, own);
  const fields = [...(await columnTypes(duck, files)).keys()].filter((name) => !index.has(name)).map(identifier);
  if (fields.length === 0) return own;
  const beside = `SELECT sort_index AS __sort_index, ${fields.join(", ")} ${files}`;
  return `SELECT * EXCLUDE (__sort_index) FROM (${own}) LEFT JOIN (${beside}) ON sort_index = __sort_index`;
}

/** Counts and sums come as bigints; those that a number holds exactly become numbers. */
function plainRow(row: SqlRow): SqlRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]));
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(plain);
  return value;
}

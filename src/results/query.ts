import { messageOf, ScytheError } from "../errors.ts";
import { type Duck, duckOf, type SqlRow, withConnection } from "../table/duckdb.ts";
import { identifier, literal } from "../table/sql.ts";

/** @param tables name → path of its Parquet file */
export async function queryTables(tables: ReadonlyMap<string, string>, sql: string): Promise<SqlRow[]> {
  return withConnection({}, async (connection) => {
    const duck = duckOf(connection);
    await openTables(duck, tables);
    try {
      const rows = await duck.rows(sql);
      return rows.map(plainRow);
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
  for (const [name, path] of tables) {
    await duck.run(`CREATE VIEW ${identifier(name)} AS FROM read_parquet(${literal(path)})`, `Could not open ${name}`);
  }
  const paths = [...tables.values()].map(literal).join(", ");
  await duck.run(`SET allowed_paths = [${paths}]`, "Could not restrict the query");
  await duck.run("SET enable_external_access = false", "Could not restrict the query");
  await duck.run("SET lock_configuration = true", "Could not restrict the query");
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

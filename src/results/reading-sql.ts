import { ScytheError } from "../errors.ts";
import type { Duck } from "../table/duckdb.ts";
import { literal } from "../table/sql.ts";

/** Table functions that only read or generate rows. Others can enable logs and profiles, which write files. */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  ...["range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree", "query_table"],
  ...["read_parquet", "parquet_scan", "parquet_metadata", "parquet_file_metadata", "parquet_schema"],
  ...["parquet_full_metadata", "parquet_kv_metadata", "parquet_bloom_probe", "summary", "pragma_table_info"],
  ...["duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_tables", "duckdb_types", "duckdb_views"],
]);

/** `EXPLAIN ANALYZE` runs the statement. */
const EXPLAIN = /^\s*explain(\s+analyze)?\s/i;

interface Parsed {
  error: boolean;
  error_type?: string;
  error_message?: string;
  statements?: unknown[];
}

/**
 * Refuses any query that does more than read. DuckDB's own parser serializes the trees of SELECT statements (`FROM`,
 * `VALUES`, `DESCRIBE`, `SUMMARIZE` and `SHOW` included) and of no others.
 * @throws ScytheError `invalid_input` naming what is not read-only; syntax errors are left to the query itself
 */
export async function assertReads(duck: Duck, sql: string): Promise<void> {
  if (sql.replace(/--[^\n]*|[;\s]/g, "") === "") {
    throw new ScytheError("invalid_input", "The query is empty", { hint: "Give one SELECT." });
  }
  let parsed = await parse(duck, sql);
  if (parsed.error && parsed.error_type === "parser") return;
  // an EXPLAIN in any other form, with options or comments, is refused: its rest does not parse
  if (parsed.error && EXPLAIN.test(sql)) parsed = await parse(duck, sql.replace(EXPLAIN, ""));
  const { error, statements = [] } = parsed;
  if (error) throw refused("a statement that is not a SELECT");
  if (statements.length !== 1) {
    throw new ScytheError("invalid_input", `The query is ${statements.length} statements, not one`, {
      hint: "Give one SELECT; parts of it can be named by WITH.",
    });
  }
  const unknown = tableFunctionsIn(statements).find((name) => !TABLE_FUNCTIONS.has(name));
  if (unknown !== undefined) throw refused(`${unknown}(), which may do more than read`);
}

async function parse(duck: Duck, sql: string): Promise<Parsed> {
  if (sql.includes("\0")) throw refused("a NUL character");
  const [row] = await duck.rows(`SELECT json_serialize_sql(${literal(sql)}) AS tree`);
  return JSON.parse(row!.tree as string) as Parsed;
}

function tableFunctionsIn(tree: unknown): string[] {
  const names: string[] = [];
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== "object" || node === null) continue;
    const { type, function: called } = node as { type?: unknown; function?: { function_name?: unknown } };
    if (type === "TABLE_FUNCTION") names.push(String(called?.function_name).toLowerCase());
    open.push(...Object.values(node));
  }
  return names;
}

function refused(what: string): ScytheError {
  return new ScytheError("invalid_input", `Queries are read-only, but this one has ${what}`, {
    hint: "Give SELECT, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW, or EXPLAIN of one of them; PIVOT needs its values (IN …). To write a file use --format csv.",
  });
}

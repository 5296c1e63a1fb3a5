import { join } from "node:path";
import { duckOf, withConnection } from "../table/duckdb.ts";
import { identifier, literal } from "../table/sql.ts";
import type { RunTables } from "./run-tables.ts";

export interface TablesInSql {
  /** Field → SQL of the spec number `i`. */
  inputs: Record<string, string>;
  outputs: Record<string, string>;
  specs: number;
  /** SQL that is true of the specs that failed. */
  failed?: string;
}

/** Writes tables such as a run has in `final/`. */
export async function writeTables(folder: string, { inputs, outputs, specs, failed = "false" }: TablesInSql) {
  const tables: Required<RunTables> = { scalars: join(folder, "scalars.pq"), errors: join(folder, "errors.pq") };
  const named = (columns: Record<string, string>) =>
    Object.entries(columns).map(([name, sql]) => `${sql} AS ${identifier(name)}`);
  const ids = ["'x/v1/t' AS experiment_id", "i AS sort_index", "'w' AS workflow_run_id", "'w' AS root_workflow_run_id"];
  const index = ["experiment_id", "sort_index", "workflow_run_id", "root_workflow_run_id", ...Object.keys(inputs)];
  const pandas = literal(JSON.stringify({ index_columns: index }));
  await withConnection({ memoryMb: 1024 }, async (connection) => {
    const duck = duckOf(connection);
    const write = (path: string, columns: string[], which: string) =>
      duck.run(
        `COPY (SELECT ${[...ids, ...columns].join(", ")} FROM range(${specs}) AS specs(i) WHERE ${which})
         TO ${literal(path)} (FORMAT parquet, KV_METADATA {pandas: ${pandas}})`,
        "Could not write a test's table",
      );
    await write(tables.scalars, [...named(inputs), ...named(outputs)], `NOT (${failed})`);
    await write(tables.errors, [...named(inputs), "'Error' AS kind"], failed);
  });
  return tables;
}

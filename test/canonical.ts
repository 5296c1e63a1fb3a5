import type { Results } from "scythe-ts";

/**
 * Every table of a run in canonical order, without ids, URIs and durations: two runs of the same specs and seed must
 * give equal ones, whatever engine, tree or storage they ran on.
 */
export async function canonicalTables(results: Results): Promise<Record<string, unknown[]>> {
  const tables: Record<string, unknown[]> = {};
  for (const name of Object.keys(await results.listResultsFiles()).sort()) {
    const rows = await results.query<Record<string, unknown>>(`SELECT * FROM "${name}"`);
    tables[name] = rows.map((row) =>
      Object.fromEntries(
        Object.entries(row)
          .filter(([column]) => !IGNORED.has(column))
          .map(relative),
      ),
    );
  }
  return tables;
}

const IGNORED = new Set(["experiment_id", "workflow_run_id", "root_workflow_run_id", "duration", "worker", "stack"]);

function relative([column, value]: [string, unknown]): [string, unknown] {
  if (typeof value !== "string" || !/^(file|s3|memory):\/\//.test(value)) return [column, value];
  const inRun = value.replace(/^.*\/\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}\//, "");
  return [column, inRun.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-/, "")];
}

import { fingerprint } from "../../files/artifacts.ts";
import type { FinalFile } from "../../run/report.ts";
import type { Duck } from "../../table/duckdb.ts";
import { parquetFacts } from "../../table/parquet-sql.ts";
import type { RunInfo } from "../run-task.ts";

/** Metadata of a table: which generation of which run wrote it. */
export function generationText({ layout, generation }: RunInfo): string {
  return JSON.stringify({ experiment_id: layout.experimentId, generation });
}

/** What the report records about a file. */
export async function measured(duck: Duck, path: string): Promise<Omit<FinalFile, "name">> {
  const [count] = await duck.rows(`SELECT num_rows AS n FROM ${parquetFacts("file_metadata", path)}`);
  return { rows: Number(count!.n), ...(await fingerprint(path)) };
}

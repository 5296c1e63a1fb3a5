import { join } from "node:path";
import type { FinalFile } from "../../run/report.ts";
import { OUTPUT_FILES } from "../../schema/base.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { finished, literal, sqlType } from "../../table/sql.ts";
import { partColumns } from "../part-columns.ts";
import { copyRows } from "./copy-rows.ts";
import type { PreviousTables } from "./previous-tables.ts";
import type { GatherSources, Merge } from "./sources.ts";
import { generationText, measured } from "./written-file.ts";

/** The finished record of a run's output files, not published yet. */
export interface OutputRecord extends Omit<FinalFile, "name"> {
  path: string;
}

/**
 * Merges the records of output files. A previous run of an earlier version may have no record: its files stay without a
 * recorded hash.
 * @returns undefined where the experiment has no output files
 */
export async function writeOutputRecord(
  merge: Merge,
  sources: GatherSources,
  previous: PreviousTables | undefined,
): Promise<OutputRecord | undefined> {
  const { settings, run, duck, folder } = merge;
  const fresh = sources.tables[OUTPUT_FILES];
  if (!fresh) return undefined;
  const path = join(folder, "output_artifacts.pq");
  const columns = partColumns(settings.experiment, run.details).files;
  const selects: string[] = [];
  if (fresh.length > 0) selects.push(`SELECT ${columns.map(finished).join(", ")} FROM ${parquetRows(fresh)}`);
  if (previous?.outputs) selects.push(keptRows(previous.outputs, previous.replaced));
  if (selects.length === 0) {
    const none = columns.map(({ name, type }) => `CAST(NULL AS ${sqlType(type)}) AS ${name}`);
    selects.push(`SELECT ${none.join(", ")} LIMIT 0`);
  }
  await copyRows(merge, {
    select: `FROM (${selects.join(" UNION ALL ")})`,
    order: "sort_index, field, path",
    target: path,
    from: previous?.outputs ? [fresh, [previous.outputs]] : [fresh],
    metadata: `{scythe: ${literal(generationText(run))}}`,
    what: "Could not write output_artifacts.pq",
  });
  return { ...(await measured(duck, path)), path };
}

function keptRows(file: string, replaced: string | undefined): string {
  const rows = `SELECT * FROM ${parquetRows(file)}`;
  if (!replaced) return rows;
  return `${rows} WHERE sort_index NOT IN (SELECT sort_index FROM ${parquetRows(replaced)})`;
}

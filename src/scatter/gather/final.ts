import { join } from "node:path";
import { ScytheError } from "../../errors.ts";
import { localCopy } from "../../storage/local-copy.ts";
import { pandasMetadata } from "../../table/pandas.ts";
import { literal } from "../../table/sql.ts";
import { finalTableNames } from "../final-columns.ts";
import { copyRows } from "./copy-rows.ts";
import { finalTables } from "./final-tables.ts";
import { joinPrevious, type TableQuery } from "./join-previous.ts";
import { writeOutputRecord } from "./output-record.ts";
import { openPreviousTables, type PreviousTables } from "./previous-tables.ts";
import { publishFinal, type WrittenTable } from "./publish-final.ts";
import { reconcileCounts } from "./reconcile-counts.ts";
import type { GatherSources, Merge } from "./sources.ts";
import { generationText, measured } from "./written-file.ts";

/**
 * Writes the final tables, then the report that completes the run. All tables are finished before the first is
 * published, so that replacing existing ones takes one short moment.
 */
export async function writeFinal(merge: Merge, sources: GatherSources): Promise<Record<string, number>> {
  const previous = await openPreviousTables(merge, finalTableNames(merge.settings.experiment));
  const written: WrittenTable[] = [];
  for (const table of await finalTables(merge, sources, previous))
    written.push(await writeTable(merge, sources, previous, table));
  if (previous) await assertOneRowPerSpec(merge, written);
  const outputs = await writeOutputRecord(merge, sources, previous);
  return publishFinal(merge, sources, previous, written, outputs);
}

/** Writes one final table into the merge's folder. */
export async function writeTable(
  merge: Merge,
  sources: GatherSources,
  previous: PreviousTables | undefined,
  table: TableQuery,
): Promise<WrittenTable> {
  const { run, duck, folder } = merge;
  const { name, index, columns } = table;
  const path = join(folder, `${name}.final.pq`);
  const metadata = `{pandas: ${literal(pandasMetadata(index, columns))}, scythe: ${literal(generationText(run))}}`;
  const fresh = sources.tables[name] ?? sources.rows;
  await copyRows(merge, {
    select: previous ? await joinPrevious(merge, previous, table) : table.select,
    from: previous ? [fresh, [previous.files[name]!]] : [fresh],
    order: table.ordered && !previous ? undefined : table.order,
    target: path,
    metadata,
    what: `Could not write final/${name}.pq`,
  });
  return { name, ...(await measured(duck, path)), path, columns };
}

/**
 * Checks that kept and new rows together are one row per spec.
 * @throws ScytheError `internal`
 */
async function assertOneRowPerSpec(
  { settings, run, duck, folder }: Merge,
  written: readonly WrittenTable[],
): Promise<void> {
  const specs = await localCopy(settings.storage, run.layout.specs, folder);
  const files = written.slice(0, 2).map(({ path }) => [path]); // scalars and errors
  const { balanced, ...counts } = await reconcileCounts(duck, specs, files);
  if (balanced) return;
  const what = `Run ${run.layout.experimentId} would have ${counts.rows} rows for ${counts.specs} specs, or rows of the wrong specs`;
  throw new ScytheError("internal", what, {
    hint: "Nothing in final/ was replaced. Please report this with the run's scatter-gather/ folder.",
  });
}

import { join } from "node:path";
import { ScytheError } from "../../errors.ts";
import { localCopy } from "../../storage/local-copy.ts";
import { pandasMetadata } from "../../table/pandas.ts";
import { literal } from "../../table/sql.ts";
import { finalTableNames } from "../final-layout.ts";
import { copyRows } from "./copy-rows.ts";
import { finalTables } from "./final-tables.ts";
import { joinBase, type TableQuery } from "./join-previous.ts";
import { writeOutputRecord } from "./output-record.ts";
import { type Base, openBase } from "./previous-tables.ts";
import { publishFinal, type WrittenTable } from "./publish-final.ts";
import { account } from "./reconcile-counts.ts";
import type { GatherSources, Merge } from "./sources.ts";
import { generationText, measured } from "./written-file.ts";

/**
 * What the root merges into: each final table, then the report that makes the run complete. All tables are finished
 * before the first is published, so that where they replace others, they do it in one short moment.
 */
export async function writeFinal(merge: Merge, sources: GatherSources): Promise<Record<string, number>> {
  const base = await openBase(merge, finalTableNames(merge.settings.experiment));
  const written: WrittenTable[] = [];
  for (const table of await finalTables(merge, sources, base))
    written.push(await writeTable(merge, sources, base, table));
  if (base) await assertWhole(merge, written);
  const outputs = await writeOutputRecord(merge, sources, base);
  return publishFinal(merge, sources, base, written, outputs);
}

/** Writes one final table into the merge's folder. */
export async function writeTable(
  merge: Merge,
  sources: GatherSources,
  base: Base | undefined,
  table: TableQuery,
): Promise<WrittenTable> {
  const { run, duck, folder } = merge;
  const { name, index, columns } = table;
  const path = join(folder, `${name}.final.pq`);
  const metadata = `{pandas: ${literal(pandasMetadata(index, columns))}, scythe: ${literal(generationText(run))}}`;
  const fresh = sources.tables[name] ?? sources.rows;
  await copyRows(merge, {
    select: base ? await joinBase(merge, base, table) : table.select,
    from: base ? [fresh, [base.files[name]!]] : [fresh],
    order: table.ordered && !base ? undefined : table.order,
    target: path,
    metadata,
    what: `Could not write final/${name}.pq`,
  });
  return { name, ...(await measured(duck, path)), path, columns };
}

/**
 * Kept rows and new ones together are a row a spec.
 * @throws ScytheError `internal`
 */
async function assertWhole({ settings, run, duck, folder }: Merge, written: readonly WrittenTable[]): Promise<void> {
  const specs = await localCopy(settings.storage, run.layout.specs, folder);
  const files = written.slice(0, 2).map(({ path }) => [path]); // scalars and errors
  const { balanced, ...counts } = await account(duck, specs, files);
  if (balanced) return;
  const what = `Run ${run.layout.experimentId} would have ${counts.rows} rows for ${counts.specs} specs, or not each spec's once`;
  throw new ScytheError("internal", what, {
    hint: "Nothing in final/ was replaced. Please report this with the run's scatter-gather/ folder.",
  });
}

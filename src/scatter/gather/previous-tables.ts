import { ScytheError } from "../../errors.ts";
import { hashFile } from "../../files/artifacts.ts";
import { type InheritedTables, readInheritedTables } from "../../run/inherited-tables.ts";
import { type GenerationRecord, type Report, readEarlierReport, readReport, reportText } from "../../run/report.ts";
import { OUTPUT_FILES } from "../../schema/base.ts";
import { localCopy } from "../../storage/local-copy.ts";
import { fileMetadata } from "../../table/describe.ts";
import type { Move } from "../../table/relocate.ts";
import { ERRORS } from "../final-columns.ts";
import type { Merge } from "./sources.ts";

/** The final tables that a merge starts from: those of the previous generation, or of the base run. */
export interface PreviousTables {
  /** Table name → local file. */
  files: Record<string, string>;
  /** Local file of the record of output files; undefined when the run has none, or an earlier version made it. */
  outputs: string | undefined;
  /** Maps references into the base run to this run. */
  moves: readonly Move[];
  /** File of the specs that ran again, whose previous rows are dropped; undefined = all rows stay. */
  replaced: string | undefined;
  /** From the previous report. */
  generations: GenerationRecord[];
  seconds: number;
}

/**
 * Opens the tables that the root's merge starts from; undefined for a run's first generation.
 * @throws ScytheError `storage` when a table is not what was recorded of it
 */
export async function openPreviousTables(merge: Merge, tables: readonly string[]): Promise<PreviousTables | undefined> {
  if (merge.run.generation > 0) return previousGeneration(merge, tables);
  return (merge.run.details.carried_count ?? 0) > 0 ? inheritedTables(merge, tables) : undefined;
}

async function inheritedTables(merge: Merge, tables: readonly string[]): Promise<PreviousTables> {
  const { layout } = merge.run;
  const carried = await readInheritedTables(merge.settings.storage, layout);
  const files: Record<string, string> = {};
  for (const table of tables) files[table] = await inheritedTable(merge, carried, table);
  const outputs = carried.tables[OUTPUT_FILES] && (await inheritedTable(merge, carried, OUTPUT_FILES));
  return { files, outputs, moves: carried.moves, replaced: undefined, generations: [], seconds: 0 };
}

async function inheritedTable(
  { settings, run, folder }: Merge,
  carried: InheritedTables,
  table: string,
): Promise<string> {
  const key = run.layout.inheritedTable(table);
  if (!(await settings.storage.head(key))) throw missingTable(settings.storage.uriOf(key));
  const path = await localCopy(settings.storage, key, folder);
  if ((await hashFile(path)) === carried.tables[table]?.sha256) return path;
  throw damagedTable(settings.storage.uriOf(key));
}

/**
 * Reads `final/` as the previous generation left it, or partly replaced by an earlier try of this merge: without the
 * specs that ran again, both are equal. The previous errors are copied to `history/` first, as their counts are still
 * needed.
 */
async function previousGeneration(merge: Merge, tables: readonly string[]): Promise<PreviousTables> {
  const { settings, run, folder } = merge;
  const before = await keepHistory(merge);
  const files: Record<string, string> = {};
  for (const table of tables) {
    if (table === ERRORS) {
      files[table] = await previousErrors(merge, before);
    } else {
      files[table] = await finishedTable(merge, run.layout.finalTable(table), before.final[table]);
    }
  }
  const recorded = before.output_artifacts;
  const outputs = recorded && (await finishedTable(merge, run.layout.outputArtifacts, recorded));
  const replaced = await localCopy(settings.storage, run.specs, folder);
  const generations = before.generations ?? [recordOf(before)];
  return { files, outputs, moves: [], replaced, generations, seconds: before.seconds };
}

/** Copies to `history/` the errors and the report that this generation will replace. */
async function keepHistory(merge: Merge): Promise<Report> {
  const { settings, run, folder } = merge;
  const { storage } = settings;
  const before = run.generation - 1;
  const errors = run.layout.history(before, "errors.pq");
  const text = run.layout.history(before, "report.yml");
  const kept = await readEarlierReport(storage, run.layout, before); // an earlier try may have replaced the report
  const report = kept ?? (await readReport(storage, run.layout));
  if (report?.generation !== before) {
    throw new ScytheError("internal", `Run ${run.layout.experimentId} has no report of generation ${before}`, {
      details: { generation: report?.generation ?? null },
    });
  }
  if (!(await storage.head(errors))) {
    const key = run.layout.finalTable(ERRORS);
    if (!(await storage.head(key))) throw missingTable(storage.uriOf(key));
    const path = await localCopy(storage, key, folder);
    if ((await hashFile(path)) !== report.final[ERRORS]?.sha256) throw damagedTable(storage.uriOf(key));
    await storage.putFile(errors, path, { ifAbsent: true });
  }
  await storage.put(text, reportText(report), { ifAbsent: true });
  return report;
}

async function previousErrors({ settings, run, folder }: Merge, before: Report): Promise<string> {
  const key = run.layout.history(run.generation - 1, "errors.pq");
  const path = await localCopy(settings.storage, key, folder);
  if ((await hashFile(path)) === before.final[ERRORS]?.sha256) return path;
  throw damagedTable(settings.storage.uriOf(key));
}

async function finishedTable(
  { settings, run, duck, folder }: Merge,
  key: string,
  recorded: { sha256: string } | undefined,
): Promise<string> {
  if (!(await settings.storage.head(key))) throw missingTable(settings.storage.uriOf(key));
  const path = await localCopy(settings.storage, key, folder);
  if ((await hashFile(path)) === recorded?.sha256) return path;
  const own = (await fileMetadata(duck, path)).get("scythe");
  const { generation } = JSON.parse(own ?? "{}") as { generation?: number };
  if (generation === run.generation) return path;
  throw damagedTable(settings.storage.uriOf(key));
}

function recordOf(report: Report): GenerationRecord {
  const { generation, allocated, succeeded, failed, failed_by_kind, finished_at } = report;
  return {
    generation,
    specs: allocated,
    succeeded,
    failed,
    failed_by_kind,
    kinds: null,
    timeout_ms: null,
    finished_at,
  };
}

function missingTable(uri: string): ScytheError {
  return new ScytheError("storage", `${uri} is missing`, {
    hint: "Restore it from a copy of the run, then resume: its rows are merged with the new ones.",
    details: { uri },
  });
}

function damagedTable(uri: string): ScytheError {
  return new ScytheError("storage", `${uri} is damaged: its SHA-256 is not the recorded one`, {
    hint: "Restore it from a copy of the run, then resume: its rows are merged with the new ones.",
    details: { uri },
  });
}

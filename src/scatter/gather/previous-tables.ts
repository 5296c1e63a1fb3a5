import { ScytheError } from "../../errors.ts";
import { hashFile } from "../../files/artifacts.ts";
import { type CarriedTables, readCarried } from "../../run/inherited-tables.ts";
import { type GenerationRecord, type Report, readEarlierReport, readReport, reportText } from "../../run/report.ts";
import { OUTPUT_FILES } from "../../schema/base.ts";
import { localCopy } from "../../storage/local-copy.ts";
import { fileMetadata } from "../../table/describe.ts";
import type { Move } from "../../table/relocate.ts";
import { ERRORS } from "../final-layout.ts";
import type { Merge } from "./sources.ts";

/** The finished tables that a merge starts from: of the generation before, or of the run that this one extends. */
export interface Base {
  /** Table → file on this machine. */
  files: Record<string, string>;
  /** The record of output files on this machine; undefined when an earlier version made the run, or it has none. */
  outputs: string | undefined;
  /** References into another run, and where they lead in this one. */
  moves: readonly Move[];
  /** File of the specs whose rows come anew, so that the base's do not count; undefined = all of its rows stay. */
  replaced: string | undefined;
  /** What was reported before. */
  generations: GenerationRecord[];
  seconds: number;
}

/**
 * What the root's merge starts from; undefined for a run's first generation.
 * @throws ScytheError `storage` when a table is not what was recorded of it
 */
export async function openBase(merge: Merge, tables: readonly string[]): Promise<Base | undefined> {
  if (merge.run.generation > 0) return generationBefore(merge, tables);
  return (merge.run.details.carried_count ?? 0) > 0 ? carriedBase(merge, tables) : undefined;
}

async function carriedBase(merge: Merge, tables: readonly string[]): Promise<Base> {
  const { layout } = merge.run;
  const carried = await readCarried(merge.settings.storage, layout);
  const files: Record<string, string> = {};
  for (const table of tables) files[table] = await carriedTable(merge, carried, table);
  const outputs = carried.tables[OUTPUT_FILES] && (await carriedTable(merge, carried, OUTPUT_FILES));
  return { files, outputs, moves: carried.moves, replaced: undefined, generations: [], seconds: 0 };
}

async function carriedTable({ settings, run, folder }: Merge, carried: CarriedTables, table: string): Promise<string> {
  const key = run.layout.carriedTable(table);
  if (!(await settings.storage.head(key))) throw isGone(settings.storage.uriOf(key));
  const path = await localCopy(settings.storage, key, folder);
  if ((await hashFile(path)) === carried.tables[table]?.sha256) return path;
  throw notAsRecorded(settings.storage.uriOf(key));
}

/**
 * `final/` as the generation before left it, or partly replaced already by an earlier try of this merge: without the
 * specs that ran again, both are the same. Errors are counted on, so those of before are kept aside first.
 */
async function generationBefore(merge: Merge, tables: readonly string[]): Promise<Base> {
  const { settings, run, folder } = merge;
  const before = await keepHistory(merge);
  const files: Record<string, string> = {};
  for (const table of tables) {
    if (table === ERRORS) {
      files[table] = await keptErrors(merge, before);
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

/** Copies of the errors and of the report that this generation is about to replace. */
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
    if (!(await storage.head(key))) throw isGone(storage.uriOf(key));
    const path = await localCopy(storage, key, folder);
    if ((await hashFile(path)) !== report.final[ERRORS]?.sha256) throw notAsRecorded(storage.uriOf(key));
    await storage.putFile(errors, path, { ifAbsent: true });
  }
  await storage.put(text, reportText(report), { ifAbsent: true });
  return report;
}

async function keptErrors({ settings, run, folder }: Merge, before: Report): Promise<string> {
  const key = run.layout.history(run.generation - 1, "errors.pq");
  const path = await localCopy(settings.storage, key, folder);
  if ((await hashFile(path)) === before.final[ERRORS]?.sha256) return path;
  throw notAsRecorded(settings.storage.uriOf(key));
}

async function finishedTable(
  { settings, run, duck, folder }: Merge,
  key: string,
  recorded: { sha256: string } | undefined,
): Promise<string> {
  if (!(await settings.storage.head(key))) throw isGone(settings.storage.uriOf(key));
  const path = await localCopy(settings.storage, key, folder);
  if ((await hashFile(path)) === recorded?.sha256) return path;
  const own = (await fileMetadata(duck, path)).get("scythe");
  const { generation } = JSON.parse(own ?? "{}") as { generation?: number };
  if (generation === run.generation) return path;
  throw notAsRecorded(settings.storage.uriOf(key));
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

function isGone(uri: string): ScytheError {
  return new ScytheError("storage", `${uri} is gone`, {
    hint: "Restore it from a copy of the run, then resume: the rows that it holds are merged with the new ones.",
    details: { uri },
  });
}

function notAsRecorded(uri: string): ScytheError {
  return new ScytheError("storage", `${uri} is damaged: its SHA-256 is not the recorded one`, {
    hint: "Restore it from a copy of the run, then resume: the rows that it holds are merged with the new ones.",
    details: { uri },
  });
}

import { drivenSeconds } from "../../run/heartbeat.ts";
import { type FinalFile, type GenerationRecord, type Report, reportText } from "../../run/report.ts";
import { assertFinal, beginFinal, takenOver, updateState } from "../../run/state.ts";
import type { Column } from "../../schema/columns.ts";
import type { PutCondition, PutResult } from "../../storage/storage.ts";
import type { Duck } from "../../table/duckdb.ts";
import { parquetFacts, parquetRows } from "../../table/parquet-sql.ts";
import { identifier } from "../../table/sql.ts";
import { ERROR_FIELD_NAMES, ERRORS, SCALARS } from "../final-columns.ts";
import { partErrorName } from "../part-columns.ts";
import type { OutputRecord } from "./output-record.ts";
import type { PreviousTables } from "./previous-tables.ts";
import type { GatherSources, Merge } from "./sources.ts";

/** A finished table, not published yet. */
export interface WrittenTable extends FinalFile {
  path: string;
  columns: readonly Column[];
}

/** Publishes the tables and the record of output files over the existing ones, then the report. */
export async function publishFinal(
  merge: Merge,
  sources: GatherSources,
  previous: PreviousTables | undefined,
  written: readonly WrittenTable[],
  outputs: OutputRecord | undefined,
): Promise<Record<string, number>> {
  const { settings, run, task, attempt } = merge;
  const { storage } = settings;
  const files = written.map(({ name, path }) => ({ key: run.layout.finalTable(name), path }));
  await beginFinal(storage, run.layout, task.epoch, attempt);
  const report = await makeReport(merge, sources, previous, written);
  if (outputs) {
    const { path, ...recorded } = outputs;
    report.output_artifacts = recorded;
    files.push({ key: run.layout.outputArtifacts, path });
  }
  for (const { key, path } of files) {
    await putFenced(merge, key, (condition) => storage.putFile(key, path, { ...condition, move: true }));
  }
  await putFenced(merge, run.layout.report, (condition) =>
    storage.put(run.layout.report, reportText(report), condition),
  );
  const state = await updateState(storage, run.layout, (now) =>
    now.epoch === task.epoch ? { status: "complete" } : undefined,
  );
  if (state.epoch > task.epoch) throw takenOver(run.layout, task.epoch, state);
  return { succeeded: report.succeeded, failed: report.failed };
}

/**
 * Replaces only what existed before this attempt was known to be the last. A later attempt reads, checks and writes in
 * the same order, and wins (docs/decisions/0008-one-driver.md).
 */
async function putFenced(
  { settings: { storage }, run, task, attempt }: Merge,
  key: string,
  put: (condition: PutCondition) => Promise<PutResult>,
): Promise<void> {
  for (;;) {
    const before = await storage.head(key);
    await assertFinal(storage, run.layout, task.epoch, attempt);
    const { written } = await put(before ? { ifMatch: before.etag } : { ifAbsent: true });
    if (written) return;
  }
}

async function makeReport(
  { settings, run, task, duck, attempt }: Merge,
  sources: GatherSources,
  previous: PreviousTables | undefined,
  written: readonly WrittenTable[],
): Promise<Report> {
  const scalars = written.find(({ name }) => name === SCALARS)!;
  const errors = written.find(({ name }) => name === ERRORS)!;
  const { details, retry } = run;
  const finishedAt = new Date();
  const begun = new Date(retry?.started_at ?? details.created_at);
  const failedFiles = sources.tables[ERRORS]!;
  const failed = await rowsOf(duck, failedFiles);
  const driven = await drivenSeconds(settings.storage, run.layout, task);
  const record: GenerationRecord = {
    generation: run.generation,
    specs: run.count,
    succeeded: run.count - failed,
    failed,
    failed_by_kind: await countByKind(duck, failedFiles, partErrorName("kind")),
    kinds: retry?.kinds ?? null,
    timeout_ms: retry?.timeout_ms ?? null,
    finished_at: finishedAt.toISOString(),
  };
  return {
    experiment_id: run.layout.experimentId,
    generation: run.generation,
    attempt,
    allocated: details.spec_count,
    succeeded: scalars.rows,
    failed: errors.rows,
    missing: details.spec_count - scalars.rows - errors.rows,
    failed_by_kind: await countByKind(duck, [errors.path], errors.columns[ERROR_FIELD_NAMES.indexOf("kind")]!.name),
    allocated_at: new Date(details.created_at).toISOString(),
    finished_at: finishedAt.toISOString(),
    seconds: (previous?.seconds ?? 0) + (driven ?? (finishedAt.getTime() - begun.getTime()) / 1000),
    generations: [...(previous?.generations ?? []), record],
    final: Object.fromEntries(written.map(({ name, rows, bytes, sha256 }) => [name, { rows, bytes, sha256 }])),
  };
}

async function rowsOf(duck: Duck, files: readonly string[]): Promise<number> {
  if (files.length === 0) return 0;
  const [row] = await duck.rows(`SELECT sum(num_rows) AS n FROM ${parquetFacts("file_metadata", files)}`);
  return Number(row!.n);
}

async function countByKind(duck: Duck, files: readonly string[], column: string): Promise<Record<string, number>> {
  if (files.length === 0) return {};
  const kind = identifier(column);
  const rows = await duck.rows(
    `SELECT ${kind} AS kind, count(*) AS n FROM ${parquetRows(files)} GROUP BY ${kind} ORDER BY n DESC, kind`,
  );
  return Object.fromEntries(rows.map((row) => [row.kind as string, Number(row.n)]));
}

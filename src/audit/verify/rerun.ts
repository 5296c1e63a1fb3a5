import { rm } from "node:fs/promises";
import type { AnyExperiment } from "../../experiment/define.ts";
import { hashFile } from "../../files/artifacts.ts";
import { partColumns } from "../../scatter/part-columns.ts";
import type { RunInfo } from "../../scatter/run-task.ts";
import { BatchBuilder } from "../../table/batch.ts";
import type { ChunkRequest, OutputFile, Rows } from "../../worker/protocol.ts";
import { CrashRecords } from "../../worker/supervisor/crash-records.ts";
import { PartBuffers } from "../../worker/supervisor/part-buffers.ts";
import type { ChunkRunner, RunnerEnd } from "../../worker/supervisor/runner.ts";

/** What runs specs: this process or children of it. */
export interface Rerunner {
  runner: ChunkRunner;
  slots: number;
  timeoutMs: number;
  memoryLimit: number | null;
  maxOutputSize: number;
  maxRowSize: number;
  worker: string;
  fetchUri: (uri: string) => Promise<string>;
}

/** A file that a spec wrote in its new run; `name` as it would have been stored. */
export interface NewFile {
  sortIndex: number;
  field: string;
  name: string;
  sha256: string;
}

/** Rows that specs gave, as a part would hold them. */
export interface RerunRows {
  rows: PartBuffers;
  files: NewFile[];
}

/** Runs every spec of a file of specs, each for itself, with its tries and limits, and stores nothing. */
export async function rerunSpecs(
  { runner, slots, fetchUri, ...limits }: Rerunner & Pick<ChunkRequest, "inputs">,
  experiment: AnyExperiment,
  run: RunInfo,
  specsPath: string,
  count: number,
  tempRoot: string,
): Promise<RerunRows> {
  const rows = new PartBuffers(partColumns(experiment, run.details));
  const files: NewFile[] = [];
  const request = (at: number, firstAttempt: number): ChunkRequest => ({
    experiment: experiment.name,
    specsPath,
    tempRoot,
    firstAttempt,
    ...limits,
    from: at,
    to: at + 1,
    careful: false,
    confirm: false,
    timeBudgetMs: null,
    extraColumns: run.details.extra_columns,
    unionColumns: run.details.union_columns ?? false,
    seed: run.details.seed,
    rootRunId: run.manifest.workflow_run_id,
  });
  const accounts: CrashRecords[] = [];
  const signal = new AbortController().signal;
  const one = async (slot: number, at: number, attempt: number): Promise<RunnerEnd> => {
    const written: { sortIndex: number; file: OutputFile }[] = [];
    const folders: string[] = [];
    const onRows = (own: Rows, removeDirs: readonly string[]) => {
      written.push(...own.files.map((file) => ({ sortIndex: sortIndexAt(own, file.row), file })));
      folders.push(...removeDirs);
      addRows(rows, own);
    };
    const end = await runner.run(slot, request(at, attempt), {
      onRows,
      onOutput: () => undefined,
      fetchUri,
      signal,
      kill: signal,
    });
    for (const { sortIndex, file } of written) {
      files.push({ sortIndex, field: file.field, name: file.name, sha256: await hashFile(file.path) });
    }
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
    return end;
  };
  let next = 0;
  // no p-map, as a lane is a slot: one process and one account of deaths
  const lane = async (_: unknown, slot: number) => {
    const account = new CrashRecords(experiment, run, specsPath, limits.worker); // it keeps one spec's deaths at a time
    accounts.push(account);
    for (let at = next++; at < count; at = next++) {
      for (let attempt: number | undefined = 1; attempt !== undefined; ) {
        const end: RunnerEnd = await one(slot, at, attempt);
        if (end.type === "died") attempt = await account.died(at, attempt, end, limits.timeoutMs);
        else attempt = end.type === "ended" && end.next <= at ? end.nextAttempt : undefined;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(slots, count) }, lane));
  const deaths = new BatchBuilder(partColumns(experiment, run.details).errors);
  for (const row of accounts.flatMap((account) => account.failures)) deaths.append(row);
  rows.errors.add(deaths.take());
  return { rows, files };
}

function addRows(to: PartBuffers, from: Rows): void {
  to.ok.add(from.ok);
  to.errors.add(from.errors);
  for (const [name, table] of Object.entries(to.tables)) table.add(from.tables[name]!);
}

function sortIndexAt({ ok }: Rows, row: number): number {
  return Number(ok.columns.find((column) => column.name === "sort_index")!.values[row]);
}

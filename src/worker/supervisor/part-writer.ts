import { rm } from "node:fs/promises";
import pMap from "p-map";
import { RUN_SCHEME, RunLayout } from "../../run/layout.ts";
import { assertEpoch } from "../../run/state.ts";
import { ERRORS } from "../../scatter/final-layout.ts";
import { besideMetadata } from "../../scatter/gather/beside.ts";
import { type PartColumns, partColumns } from "../../scatter/part-columns.ts";
import type { LeafTask, RunInfo, TreeSettings } from "../../scatter/run-task.ts";
import { OUTPUT_FILES } from "../../schema/base.ts";
import type { Column } from "../../schema/columns.ts";
import { SORT_INDEX } from "../../schema/id-columns.ts";
import type { Storage } from "../../storage/storage.ts";
import { type Batch, BatchBuilder } from "../../table/batch.ts";
import { parquetBytes } from "../../table/write-parquet.ts";
import type { OutputFile, Rows, Said } from "../protocol.ts";
import { newAttemptId } from "./attempt.ts";
import { ChunkLog } from "./chunk-log.ts";
import type { PartBuffers } from "./part-buffers.ts";
import { storeOutput } from "./store-output.ts";

/** Output files of one chunk under way at once. */
const UPLOADS = 8;
/** While a chunk runs, what its specs said is stored this often; writes to a bucket cost money. */
const TELL_LOCAL_MS = 1_000;
const TELL_MS = 5_000;

/** Gathers the rows of one chunk and commits them as its part: whole, or not at all. */
export class PartWriter {
  readonly #storage: Storage;
  readonly #run: RunInfo;
  readonly #task: LeafTask;
  readonly #columns: PartColumns;
  readonly #attempt = newAttemptId();
  readonly #log = new ChunkLog();
  readonly #buffers: PartBuffers;
  readonly #telling: NodeJS.Timeout;
  #told: Promise<void> = Promise.resolve();
  #toldOnce = false;
  /** The range that has a part by now, and whether it is ours: a chunk's log is that of its part. */
  #settled: { range: { generation: number; from: number; to: number }; counts: boolean } | undefined;
  #storing: Promise<void> = Promise.resolve();
  /** All positions below are settled. */
  upTo: number;
  /** The spec at `upTo` was announced: should its process die, it did it. */
  announced = false;

  constructor(settings: TreeSettings, run: RunInfo, task: LeafTask, buffers: PartBuffers) {
    this.#storage = settings.storage;
    this.#run = run;
    this.#task = task;
    this.#columns = partColumns(settings.experiment, run.details);
    this.#buffers = buffers;
    buffers.clear();
    this.upTo = task.from;
    const every = this.#storage.localPath ? TELL_LOCAL_MS : TELL_MS;
    this.#telling = setInterval(() => {
      if (this.#log.changed) this.#told = this.#told.then(() => this.#tell());
    }, every).unref();
  }

  add(rows: Rows, removeDirs: readonly string[]): void {
    this.upTo = rows.upTo;
    this.announced = rows.announced;
    const firstRow = this.#buffers.ok.rows;
    this.#buffers.ok.add(rows.ok);
    this.#buffers.errors.add(rows.errors);
    for (const [name, table] of Object.entries(this.#buffers.tables)) table.add(rows.tables[name]!);
    for (const { sortIndex, message } of rows.logs) this.#log.say({ sortIndex, source: "log", text: message });
    this.#log.fail(rows.errors);
    if (rows.files.length + removeDirs.length === 0) return;
    this.#storing = this.#storing.then(() => this.#storeFiles(rows.files, firstRow, removeDirs));
    this.#storing.catch(() => undefined); // told at the commit
  }

  say(said: Said): void {
    this.#log.say(said);
  }

  /** Waits for what is on its way, whether it succeeds or not. */
  async settled(): Promise<void> {
    clearInterval(this.#telling);
    await this.#storing.catch(() => undefined);
    await this.#told;
    if (this.#settled === undefined) return this.#tell(); // it gave no part: what it said stays
    const { layout } = this.#run;
    const event = this.#settled.counts ? this.#log.event(this.#buffers.errors.view()) : undefined;
    if (event) await this.#storage.put(layout.event(this.#task.path, this.#settled.range), event);
    if (this.#toldOnce) await this.#storage.delete([this.#earlyEvent]).catch(() => undefined);
  }

  get #earlyEvent(): string {
    return this.#run.layout.event(this.#task.path, this.#task, this.#attempt);
  }

  /** Stores what was said so far, under this attempt's name. The next time does when storage is away: rows come first. */
  async #tell(): Promise<void> {
    if (!this.#log.changed) return;
    const event = this.#log.event(this.#buffers.errors.view());
    this.#toldOnce = true;
    if (event) await this.#storage.put(this.#earlyEvent, event).catch(() => undefined);
  }

  /**
   * Writes the rows of positions `task.from` … `to` − 1. Tables and errors first, under this attempt's name; then the
   * part itself, which names the attempt: only with it do they count.
   */
  async commit(to: number, deaths: readonly Record<string, unknown>[]): Promise<{ ok: number; failed: number }> {
    await this.#storing;
    const { layout } = this.#run;
    const { path, from, generation, epoch } = this.#task;
    const { ok, errors, files, tables, bytes } = this.#buffers;
    errors.add(batchOf(this.#columns.errors, deaths));
    const range = { generation, from, to };
    const beside = [[ERRORS, errors] as const, [OUTPUT_FILES, files] as const, ...Object.entries(tables)];
    const filled = beside.filter(([, rows]) => rows.rows > 0);
    for (const [table, rows] of filled) {
      const key = layout.partTable(path, range, table, this.#attempt);
      await this.#storage.put(key, parquetBytes(rows.view(), {}, bytes));
    }
    await assertEpoch(this.#storage, layout, epoch);
    const counts = { ok: ok.rows, failed: errors.rows };
    const names = filled.map(([table]) => table);
    const part = parquetBytes(ok.view(), besideMetadata(this.#attempt, names), bytes);
    const { written } = await this.#storage.put(layout.part(path, { ...range, ...counts }), part, { ifAbsent: true });
    this.#settled = { range, counts: written };
    return counts;
  }

  async #storeFiles(files: readonly OutputFile[], firstRow: number, removeDirs: readonly string[]): Promise<void> {
    const ok = this.#buffers.ok.view();
    const records = new Map<OutputFile, Record<string, unknown>>();
    await pMap(
      files,
      async (file) => {
        const row = firstRow + file.row;
        const { stored, ...content } = await storeOutput(this.#storage, this.#run.layout, file, this.#attempt);
        if (stored !== file.name) rename(ok, file, row, stored);
        const path = RunLayout.resultPath(file.field, stored);
        records.set(file, { sort_index: sortIndexAt(ok, row), field: file.field, path, ...content });
      },
      { concurrency: UPLOADS },
    );
    this.#buffers.files.add(
      batchOf(
        this.#columns.files,
        files.map((file) => records.get(file)!),
      ),
    );
    for (const dir of removeDirs) await rm(dir, { recursive: true, force: true });
  }
}

function batchOf(columns: readonly Column[], rows: readonly Record<string, unknown>[]): Batch {
  const builder = new BatchBuilder(columns);
  for (const row of rows) builder.append(row);
  return builder.take();
}

function sortIndexAt(ok: Batch, row: number): number {
  return Number(ok.columns.find(({ name }) => name === SORT_INDEX.name)!.values[row]);
}

function rename(ok: Batch, { field, name }: OutputFile, row: number, stored: string): void {
  const values = ok.columns.find((column) => column.name === field)!.values as string[];
  const path = (file: string) => RUN_SCHEME + RunLayout.resultPath(field, file);
  values[row] = values[row]!.replace(path(name), path(stored));
}

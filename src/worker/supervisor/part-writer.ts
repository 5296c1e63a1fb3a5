import { rm } from "node:fs/promises";
import pMap from "p-map";
import { RUN_SCHEME, RunLayout } from "../../run/layout.ts";
import { assertEpoch } from "../../run/state.ts";
import { ERRORS } from "../../scatter/final-columns.ts";
import { sideTablesMetadata } from "../../scatter/gather/side-tables.ts";
import { type PartColumns, partColumns } from "../../scatter/part-columns.ts";
import type { LeafTask, RunInfo, TreeSettings } from "../../scatter/run-task.ts";
import { OUTPUT_FILES } from "../../schema/base.ts";
import type { Column } from "../../schema/columns.ts";
import { SORT_INDEX } from "../../schema/id-columns.ts";
import type { Storage } from "../../storage/storage.ts";
import { type Batch, BatchBuilder } from "../../table/batch.ts";
import { parquetBytes } from "../../table/write-parquet.ts";
import type { OutputFile, Rows, SpecOutput } from "../protocol.ts";
import { newAttemptId } from "./attempt.ts";
import { ChunkLog } from "./chunk-log.ts";
import type { PartBuffers } from "./part-buffers.ts";
import { storeOutput } from "./store-output.ts";

/** Output files of one chunk stored concurrently. */
const UPLOADS = 8;
/** While a chunk runs, its log is stored this often; writes to a bucket cost money. */
const LOCAL_EVENT_MS = 1_000;
const EVENT_MS = 5_000;

/** Collects the rows of one chunk and commits them as its part, all or nothing. */
export class PartWriter {
  readonly #storage: Storage;
  readonly #run: RunInfo;
  readonly #task: LeafTask;
  readonly #columns: PartColumns;
  readonly #attempt = newAttemptId();
  readonly #log = new ChunkLog();
  readonly #buffers: PartBuffers;
  readonly #eventTimer: NodeJS.Timeout;
  #eventWrites: Promise<void> = Promise.resolve();
  #wroteEarlyEvent = false;
  /** The range that has a part now, and whether this attempt wrote it: a chunk's log belongs to its part. */
  #settled: { range: { generation: number; from: number; to: number }; counts: boolean } | undefined;
  #storing: Promise<void> = Promise.resolve();
  /** All positions below are settled. */
  upTo: number;
  /** The spec at `upTo` was announced: if its process dies, it is the cause. */
  announced = false;

  constructor(settings: TreeSettings, run: RunInfo, task: LeafTask, buffers: PartBuffers) {
    this.#storage = settings.storage;
    this.#run = run;
    this.#task = task;
    this.#columns = partColumns(settings.experiment, run.details);
    this.#buffers = buffers;
    buffers.clear();
    this.upTo = task.from;
    const every = this.#storage.localPath ? LOCAL_EVENT_MS : EVENT_MS;
    this.#eventTimer = setInterval(() => {
      if (this.#log.changed) this.#eventWrites = this.#eventWrites.then(() => this.#writeEvent());
    }, every).unref();
  }

  add(rows: Rows, removeDirs: readonly string[]): void {
    this.upTo = rows.upTo;
    this.announced = rows.announced;
    const firstRow = this.#buffers.ok.rows;
    this.#buffers.ok.add(rows.ok);
    this.#buffers.errors.add(rows.errors);
    for (const [name, table] of Object.entries(this.#buffers.tables)) table.add(rows.tables[name]!);
    for (const { sortIndex, message } of rows.logs) this.#log.add({ sortIndex, source: "log", text: message });
    this.#log.fail(rows.errors);
    if (rows.files.length + removeDirs.length === 0) return;
    this.#storing = this.#storing.then(() => this.#storeFiles(rows.files, firstRow, removeDirs));
    this.#storing.catch(() => undefined); // rethrown at the commit
  }

  log(output: SpecOutput): void {
    this.#log.add(output);
  }

  /** Waits for pending writes, whether they succeed or fail. */
  async settled(): Promise<void> {
    clearInterval(this.#eventTimer);
    await this.#storing.catch(() => undefined);
    await this.#eventWrites;
    if (this.#settled === undefined) return this.#writeEvent(); // no part was written: its log stays
    const { layout } = this.#run;
    const event = this.#settled.counts ? this.#log.event(this.#buffers.errors.view()) : undefined;
    if (event) await this.#storage.put(layout.event(this.#task.path, this.#settled.range), event);
    if (this.#wroteEarlyEvent) await this.#storage.delete([this.#earlyEvent]).catch(() => undefined);
  }

  get #earlyEvent(): string {
    return this.#run.layout.event(this.#task.path, this.#task, this.#attempt);
  }

  /** Stores the log so far under this attempt's name. Errors are ignored until the next time: rows come first. */
  async #writeEvent(): Promise<void> {
    if (!this.#log.changed) return;
    const event = this.#log.event(this.#buffers.errors.view());
    this.#wroteEarlyEvent = true;
    if (event) await this.#storage.put(this.#earlyEvent, event).catch(() => undefined);
  }

  /**
   * Writes the rows of positions `task.from` … `to` − 1: side tables first, under this attempt's name, then the part,
   * which names the attempt. Only with it do they count.
   */
  async commit(to: number, deaths: readonly Record<string, unknown>[]): Promise<{ ok: number; failed: number }> {
    await this.#storing;
    const { layout } = this.#run;
    const { path, from, generation, epoch } = this.#task;
    const { ok, errors, files, tables, bytes } = this.#buffers;
    errors.add(batchOf(this.#columns.errors, deaths));
    const range = { generation, from, to };
    const sideTables = [[ERRORS, errors] as const, [OUTPUT_FILES, files] as const, ...Object.entries(tables)];
    const filled = sideTables.filter(([, rows]) => rows.rows > 0);
    for (const [table, rows] of filled) {
      const key = layout.partTable(path, range, table, this.#attempt);
      await this.#storage.put(key, parquetBytes(rows.view(), {}, bytes));
    }
    await assertEpoch(this.#storage, layout, epoch);
    const counts = { ok: ok.rows, failed: errors.rows };
    const names = filled.map(([table]) => table);
    const part = parquetBytes(ok.view(), sideTablesMetadata(this.#attempt, names), bytes);
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

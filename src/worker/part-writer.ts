import { rm } from "node:fs/promises";
import { hashFile } from "../files/artifacts.ts";
import { RUN_SCHEME, RunLayout } from "../run/layout.ts";
import { assertEpoch } from "../run/state.ts";
import { ERRORS, type PartColumns, partColumns } from "../scatter/part-columns.ts";
import type { LeafTask, RunInfo, TreeSettings } from "../scatter/run-task.ts";
import { ATTEMPT_KEY } from "../scatter/sources.ts";
import type { Column } from "../spec/columns.ts";
import type { Storage } from "../storage/storage.ts";
import { type Batch, BatchBuilder, concatBatches } from "../table/batch.ts";
import { parquetBytes } from "../table/write-parquet.ts";
import { newAttemptId } from "./attempt.ts";
import { ChunkLog } from "./chunk-log.ts";
import type { OutputFile, Rows } from "./protocol.ts";

/** Gathers the rows of one chunk and commits them as its part: whole, or not at all. */
export class PartWriter {
  readonly #storage: Storage;
  readonly #run: RunInfo;
  readonly #task: LeafTask;
  readonly #columns: PartColumns;
  readonly #attempt = newAttemptId();
  readonly #log = new ChunkLog();
  readonly #ok: Batch[] = [];
  readonly #errors: Batch[] = [];
  readonly #tables: Record<string, Batch[]>;
  #storing: Promise<void> = Promise.resolve();
  /** All positions below are settled. */
  upTo: number;
  /** The spec at `upTo` was announced: should its process die, it did it. */
  announced = false;

  constructor(settings: TreeSettings, run: RunInfo, task: LeafTask) {
    this.#storage = settings.storage;
    this.#run = run;
    this.#task = task;
    this.#columns = partColumns(settings.experiment, run.details.extra_columns);
    this.#tables = Object.fromEntries(Object.keys(this.#columns.tables).map((name) => [name, []]));
    this.upTo = task.from;
  }

  add(rows: Rows, removeDirs: readonly string[]): void {
    this.upTo = rows.upTo;
    this.announced = rows.announced;
    if (rows.ok.rows > 0) this.#ok.push(rows.ok);
    if (rows.errors.rows > 0) this.#errors.push(rows.errors);
    for (const [name, batches] of Object.entries(this.#tables)) {
      const batch = rows.tables[name]!;
      if (batch.rows > 0) batches.push(batch);
    }
    this.#log.add(rows);
    if (rows.files.length + removeDirs.length === 0) return;
    this.#storing = this.#storing.then(() => this.#storeFiles(rows, removeDirs));
    this.#storing.catch(() => undefined); // told at the commit
  }

  output(text: string): void {
    this.#log.output(text);
  }

  /** Waits for what is on its way, whether it succeeds or not. */
  async settled(): Promise<void> {
    await this.#storing.catch(() => undefined);
  }

  /**
   * Writes the rows of positions `task.from` … `to` − 1. Tables and errors first, under this attempt's name; then the
   * part itself, which names the attempt: only with it do they count.
   */
  async commit(to: number, deaths: readonly Record<string, unknown>[]): Promise<{ ok: number; failed: number }> {
    await this.#storing;
    const { layout } = this.#run;
    const { path, from, generation, epoch } = this.#task;
    const ok = concatBatches(this.#ok, this.#columns.rows);
    const errors = concatBatches(this.#withDeaths(deaths), this.#columns.errors);
    const range = { generation, from, to };
    const put = async (table: string, batch: Batch) => {
      if (batch.rows === 0) return;
      await this.#storage.put(layout.partTable(path, range, table, this.#attempt), parquetBytes(batch));
    };
    await put(ERRORS, errors);
    for (const [name, batches] of Object.entries(this.#tables)) {
      await put(name, concatBatches(batches, this.#columns.tables[name]!));
    }
    await assertEpoch(this.#storage, layout, epoch);
    const counts = { ok: ok.rows, failed: errors.rows };
    const part = parquetBytes(ok, { [ATTEMPT_KEY]: this.#attempt });
    await this.#storage.put(layout.part(path, { ...range, ...counts }), part, { ifAbsent: true });
    const event = this.#log.event(errors, deaths);
    if (event) await this.#storage.put(layout.event(path, range), event);
    return counts;
  }

  #withDeaths(deaths: readonly Record<string, unknown>[]): Batch[] {
    if (deaths.length === 0) return this.#errors;
    const builder = new BatchBuilder(this.#columns.errors as Column[]);
    for (const row of deaths) builder.append(row);
    return [...this.#errors, builder.take()];
  }

  async #storeFiles(rows: Rows, removeDirs: readonly string[]): Promise<void> {
    for (const file of rows.files) {
      const stored = await this.#storeFile(file);
      if (stored !== file.name) rename(rows.ok, file, stored);
    }
    for (const dir of removeDirs) await rm(dir, { recursive: true, force: true });
  }

  /** Where another attempt has stored another content under the name, this one's gets a name of its own. */
  async #storeFile({ field, path, name }: OutputFile): Promise<string> {
    const key = this.#run.layout.key(RunLayout.resultPath(field, name));
    const first = await this.#storage.putFile(key, path, { ifAbsent: true });
    if (first.written || (await this.#holds(key, path))) return name;
    const dot = name.lastIndexOf(".") < 0 ? name.length : name.lastIndexOf(".");
    const own = `${name.slice(0, dot)}-${this.#attempt}${name.slice(dot)}`;
    await this.#storage.putFile(this.#run.layout.key(RunLayout.resultPath(field, own)), path);
    return own;
  }

  async #holds(key: string, path: string): Promise<boolean> {
    if (!this.#storage.localPath) return false;
    return (await hashFile(this.#storage.localPath(key))) === (await hashFile(path));
  }
}

function rename(ok: Batch, { field, row, name }: OutputFile, stored: string): void {
  const values = ok.columns.find((column) => column.name === field)!.values as string[];
  const path = (file: string) => RUN_SCHEME + RunLayout.resultPath(field, file);
  values[row] = values[row]!.replace(path(name), path(stored));
}

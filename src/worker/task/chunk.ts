import type { AnyExperiment } from "../../experiment/define.ts";
import type { Column } from "../../schema/columns.ts";
import { decoderOf } from "../../table/physical.ts";
import { ParquetReader, rowAt } from "../../table/read-parquet.ts";
import type { ChunkEnd, ChunkRequest, LogLine, Rows } from "../protocol.ts";
import { SpecExecutor } from "./execute.ts";
import { IdleMemory } from "./idle-memory.ts";
import { RowCollector } from "./row-collector.ts";
import { inputFinder } from "./run-inputs.ts";

/** Rows are sent at least this often while specs are quick: the most that a crash costs. */
const FLUSH_MS = 20;
/** … or at this size: a message that fits a pipe is not assembled from pieces. */
const FRAME_BYTES = 48 * 1024;
/** Log lines are sent at least this often, however long a spec takes. */
const LOG_FLUSH_MS = 100;
/** After a crash, specs are announced one by one for this long; after that, the cause is not among the first. */
const CAREFUL_MS = 2_000;
/**
 * A chunk that has produced this much hands back the rest of its range, as its rows stay in memory until its part is
 * written.
 */
const MAX_CHUNK_BYTES = 96 * 2 ** 20;

export interface ChunkServices {
  /** Sends rows, and announces that the spec at `rows.upTo` starts. Resolves when they are sent. */
  emit(rows: Rows, removeDirs: string[]): Promise<void>;
  /** Sends log lines of the current spec. */
  sendLogs(lines: LogLine[]): void;
  /** Called when a spec starts, for specs slow enough to be seen. */
  onSpecStart(sortIndex: number): void;
  fetchUri(uri: string): Promise<string>;
  /** True when the chunk should end after the current spec. */
  stopped(): boolean;
  /** Bytes that the process used before its first spec; undefined where it is not replaced when it grows. */
  bytesAtRest: number | undefined;
  /** Called with the executor, so that uncaught errors can be passed to it. */
  onExecutor(executor: SpecExecutor): void;
}

/** Runs a chunk of specs one after the other. */
export async function runChunk(
  experiment: AnyExperiment,
  request: ChunkRequest,
  services: ChunkServices,
): Promise<ChunkEnd> {
  const reader = await ParquetReader.open(request.specsPath);
  try {
    return await new ChunkRun(experiment, request, services).run(reader);
  } finally {
    reader.close();
  }
}

class ChunkRun {
  readonly #request: ChunkRequest;
  readonly #services: ChunkServices;
  readonly #columns: Column[];
  readonly #executor: SpecExecutor;
  readonly #collector: RowCollector;
  readonly #memory: IdleMemory | undefined;
  readonly #logs: LogLine[] = [];
  readonly #begun = performance.now();
  #flushed = performance.now();
  #logsSentAt = Number.NEGATIVE_INFINITY;
  #logTimer: NodeJS.Timeout | undefined;
  #bytes = 0;
  /** The process has grown so much that it should be replaced. */
  #grown = false;

  constructor(experiment: AnyExperiment, request: ChunkRequest, services: ChunkServices) {
    this.#request = request;
    this.#services = services;
    this.#columns = [...experiment.columns.input, ...request.extraColumns];
    this.#collector = new RowCollector(
      experiment,
      { extra_columns: request.extraColumns, union_columns: request.unionColumns },
      request.worker,
      request,
    );
    this.#executor = new SpecExecutor(experiment, {
      seed: request.seed,
      tempRoot: request.tempRoot,
      logs: this.#logs,
      onLog: () => this.#scheduleLogs(),
      fetchUri: inputFinder(request.inputs, services.fetchUri),
      rootRunId: request.rootRunId,
      timeoutMs: request.timeoutMs,
      retry: experiment.retry,
      maxOutputSize: request.maxOutputSize,
    });
    const { memoryLimit } = request;
    const { bytesAtRest } = services;
    if (memoryLimit !== null && bytesAtRest !== undefined) this.#memory = new IdleMemory(memoryLimit, bytesAtRest);
    services.onExecutor(this.#executor);
  }

  async run(reader: ParquetReader): Promise<ChunkEnd> {
    const { from, to } = this.#request;
    const names = this.#columns.map((column) => column.name);
    const decoders = this.#columns.map((column) => decoderOf(column.type));
    let attempt = this.#request.firstAttempt;
    for (const group of reader.rowGroups(from, to)) {
      const data = await reader.read(["sort_index", ...names], group.from, group.to);
      const sortIndexes = data.get("sort_index")!;
      const values = names.map((name) => data.get(name)!);
      for (let i = 0; i < group.to - group.from; i++) {
        const at = group.from + i;
        if (at > from && this.#mustEnd()) return this.#end(at, attempt, this.#grown);
        const sortIndex = Number(sortIndexes[i]);
        const flush = this.#mustFlush();
        if (flush) await this.#flush(at, this.#isCareful());
        if (flush || at === from) this.#services.onSpecStart(sortIndex);
        const row = rowAt(names, decoders, this.#columns, values, i);
        let outcome = this.#executor.run(row, sortIndex, attempt);
        if (outcome instanceof Promise) outcome = await outcome;
        if (outcome.ok === "stuck") return this.#end(at, outcome.nextAttempt, true);
        this.#collector.add(row, sortIndex, outcome);
        attempt = 1;
        if (outcome.ok === false && outcome.stuck) return this.#end(at + 1, 1, true);
      }
    }
    this.#grown = this.#memory?.hasGrown() ?? false;
    return this.#end(to, 1, this.#grown);
  }

  #mustEnd(): boolean {
    const { timeBudgetMs } = this.#request;
    if (timeBudgetMs !== null && performance.now() - this.#begun > timeBudgetMs) return true;
    if (this.#memory && this.#mustFlush()) this.#grown = this.#memory.hasGrown();
    return this.#grown || this.#bytes > MAX_CHUNK_BYTES || this.#services.stopped();
  }

  #mustFlush(): boolean {
    if (performance.now() - this.#flushed > FLUSH_MS || this.#isCareful()) return true;
    return this.#collector.bytes > FRAME_BYTES;
  }

  #isCareful(): boolean {
    return this.#request.careful && performance.now() - this.#begun < CAREFUL_MS;
  }

  async #flush(upTo: number, announced: boolean): Promise<void> {
    this.#bytes += this.#collector.bytes;
    const { rows, removeDirs } = this.#collector.take();
    await this.#services.emit({ upTo, announced, ...rows, logs: this.#logs.splice(0) }, removeDirs);
    this.#flushed = performance.now();
  }

  /** Lines of a long spec, or of one that may crash, are sent before it ends. */
  #scheduleLogs(): void {
    const wait = this.#isCareful() ? 0 : this.#logsSentAt + LOG_FLUSH_MS - performance.now();
    if (wait <= 0) this.#sendLogs();
    else this.#logTimer ??= setTimeout(() => this.#sendLogs(), wait);
  }

  #sendLogs(): void {
    clearTimeout(this.#logTimer);
    this.#logTimer = undefined;
    this.#logsSentAt = performance.now();
    if (this.#logs.length > 0) this.#services.sendLogs(this.#logs.splice(0));
  }

  async #end(next: number, nextAttempt: number, dirty: boolean): Promise<ChunkEnd> {
    clearTimeout(this.#logTimer);
    await this.#flush(next, false);
    return { next, nextAttempt, dirty };
  }
}

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { LEAF_ATTEMPTS, type TaskContext } from "../../engine/engine.ts";
import { ScytheError } from "../../errors.ts";
import type { FetchUri } from "../../files/fetch.ts";
import type { LeafResult, LeafTask, RunInfo, TreeSettings } from "../../scatter/run-task.ts";
import { largestRow } from "../../table/memory-budget.ts";
import type { ChunkRequest } from "../protocol.ts";
import { runInputs } from "../task/run-inputs.ts";
import { CrashRecords } from "./crash-records.ts";
import { specsPathOf } from "./node-specs.ts";
import type { BufferPool } from "./part-buffers.ts";
import { PartWriter } from "./part-writer.ts";
import { recordedFetch } from "./recorded-inputs.ts";
import type { ChunkRunner, Death, RunnerEnd } from "./runner.ts";
import { SpecNotes, type SuspectLock } from "./spec-notes.ts";

export interface LeafSettings extends TreeSettings {
  runner: ChunkRunner;
  buffers: BufferPool;
  suspectLock: SuspectLock;
  /** Name of this worker, for `errors.pq`. */
  worker: string;
  /** The default, for experiments that set none. */
  executionTimeoutMs: number;
  memoryLimit: number | undefined;
  maxOutputSize: number;
  fetchUri: FetchUri;
}

const ALIVE_MS = 5_000;

/** A leaf's context, in addition to the engine's. */
export interface LeafContext extends TaskContext {
  /** Aborts when running specs must be killed. */
  kill: AbortSignal;
  /** Called for failed specs as they come. */
  onFailed(count: number): void;
}

/**
 * Runs one chunk and writes its part. When a spec kills its process, the process is replaced, and the specs whose rows
 * had not arrived are announced one by one until the cause is known.
 */
export async function runLeaf(settings: LeafSettings, task: LeafTask, context: LeafContext): Promise<LeafResult> {
  const run = await settings.runs.get(task);
  assertSameCode(settings, task);
  await mkdir(settings.scratch, { recursive: true });
  const tempRoot = await mkdtemp(join(settings.scratch, "leaf-"));
  try {
    return await settings.buffers.use(settings.experiment, run.details, async (buffers) => {
      const part = new PartWriter(settings, run, task, buffers);
      try {
        return await runChunk(settings, run, task, context, part, tempRoot);
      } finally {
        await part.settled();
      }
    });
  } finally {
    await rm(tempRoot, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function runChunk(
  settings: LeafSettings,
  run: RunInfo,
  task: LeafTask,
  context: LeafContext,
  part: PartWriter,
  tempRoot: string,
): Promise<LeafResult> {
  const specsPath = await specsPathOf(settings.storage, run, task.path, settings.scratch);
  const again = task.epoch > 1 || context.attempt > 1;
  const notes = await SpecNotes.open(settings.storage, run.layout, task, { worker: settings.worker, again });
  const chunk = new LeafRun(settings, run, task, context, part, notes, { specsPath, tempRoot });
  let end = task.from;
  try {
    end = await chunk.run();
  } finally {
    await notes.close(end);
  }
  context.releaseSlot();
  const { seconds } = chunk;
  if (end === task.from) return { from: task.from, to: end, ok: 0, failed: 0, seconds };
  const { ok, failed } = await part.commit(end, chunk.crashes.failures);
  return { from: task.from, to: end, ok, failed, seconds };
}

/**
 * Where a process starts: at the `attempt`-th try of the spec at `at`, after `failedStarts` processes that died before
 * it.
 */
interface ProcessStart {
  at: number;
  attempt: number;
  careful: boolean;
  failedStarts: number;
  /** The process is new, so its memory is the first spec's. */
  fresh: boolean;
  /** An earlier worker died with this spec, or with one soon after it. */
  suspected?: boolean;
}

/** A process killed from outside while it starts is not the project's fault, but after this many the leaf fails. */
const MAX_KILLED_STARTS = 20;

class LeafRun {
  readonly crashes: CrashRecords;
  readonly #settings: LeafSettings;
  readonly #run: RunInfo;
  readonly #task: LeafTask;
  readonly #context: LeafContext;
  readonly #part: PartWriter;
  readonly #notes: SpecNotes;
  /** Progress of the suspected spec, which runs once; others may be tried when it is done. */
  #suspectState: "pending" | "running" | "done" = "pending";
  #releaseSuspectLock: () => void = () => undefined;
  readonly #paths: { specsPath: string; tempRoot: string };
  readonly #begun = performance.now();

  constructor(
    settings: LeafSettings,
    run: RunInfo,
    task: LeafTask,
    context: LeafContext,
    part: PartWriter,
    notes: SpecNotes,
    paths: { specsPath: string; tempRoot: string },
  ) {
    this.#settings = settings;
    this.#run = run;
    this.#task = task;
    this.#context = context;
    this.#part = part;
    this.#notes = notes;
    this.#paths = paths;
    this.crashes = new CrashRecords(settings.experiment, run, paths.specsPath, settings.worker);
  }

  get seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  /** Returns the position up to which every spec is settled. */
  async run(): Promise<number> {
    // the engine knows only the experiment's time limit: with a longer one the leaf would look dead
    const longer = this.#run.retry?.timeout_ms ?? null;
    const alive = longer === null ? undefined : setInterval(() => this.#context.heartbeat(), ALIVE_MS).unref();
    try {
      return await this.#runProcesses();
    } finally {
      clearInterval(alive);
      this.#releaseSuspectLock();
    }
  }

  async #runProcesses(): Promise<number> {
    const { from, to } = this.#task;
    let next: ProcessStart = { at: from, attempt: 1, careful: false, failedStarts: 0, fresh: false };
    while (next.at < to) {
      if (next.at === this.#notes.suspect?.position && this.#suspectState === "pending")
        next = await this.#startSuspect(next);
      if (next.at === to) break;
      const until = this.#until(next.at);
      const end = await this.#runProcess(next, until);
      if (end.type === "stopped") return Math.max(next.at, this.#part.upTo);
      if (end.type === "ended" && !end.dirty && (end.next < until || until === to)) return end.next;
      next =
        end.type === "ended"
          ? { at: end.next, attempt: end.nextAttempt, careful: false, failedStarts: 0, fresh: false }
          : await this.#afterDeath(next, end);
      if (this.#context.signal.aborted || (this.#remaining() === 0 && isSettled(next))) return next.at;
    }
    return next.at;
  }

  #runProcess(start: ProcessStart, until: number): Promise<RunnerEnd> {
    this.#part.announced = false;
    return this.#settings.runner.run(this.#context.slot, this.#request(start, until), {
      onRows: (rows, removeDirs) => {
        this.#context.heartbeat();
        this.#part.add(rows, removeDirs);
        if (rows.errors.rows > 0) this.#context.onFailed(rows.errors.rows);
        if (start.suspected && rows.announced) return this.#notes.begin(rows.upTo);
        this.#notes.at(rows.upTo);
        if (start.suspected) this.#clearSuspect();
        return undefined;
      },
      onOutput: (output) => this.#part.log(output),
      fetchUri: recordedFetch(this.#settings.storage, this.#run, this.#settings.fetchUri),
      signal: this.#context.signal,
      kill: this.#context.kill,
    });
  }

  /** A process runs up to the suspected spec, which then gets its own. */
  #until(at: number): number {
    const suspect = this.#notes.suspect?.position ?? -1;
    return at < suspect ? suspect : this.#task.to;
  }

  /**
   * Quarantines a spec that has killed its worker too often; before that, runs it while no other suspected spec runs.
   */
  async #startSuspect(start: ProcessStart): Promise<ProcessStart> {
    const { position, begun, quarantined } = this.#notes.suspect!;
    this.#suspectState = quarantined ? "done" : "running";
    if (quarantined) {
      await this.crashes.quarantine(position, begun);
      this.#context.onFailed(1);
      return { ...start, at: position + 1 };
    }
    const waiting = setInterval(() => this.#context.heartbeat(), 1_000);
    this.#releaseSuspectLock = await this.#settings.suspectLock.acquire().finally(() => clearInterval(waiting));
    return { ...start, careful: true, suspected: true };
  }

  #clearSuspect(): void {
    this.#suspectState = "done";
    this.#releaseSuspectLock();
  }

  /**
   * Where to continue: at the spec that caused the crash if it is known and has tries left, after it if not, carefully
   * if the cause is unknown.
   */
  async #afterDeath(start: ProcessStart, death: Death): Promise<ProcessStart> {
    const at = Math.max(start.at, this.#part.upTo);
    const begun = { at, attempt: at === start.at ? start.attempt : 1 };
    const next = { ...begun, careful: true, failedStarts: 0, fresh: true, suspected: this.#suspectState === "running" };
    if (!this.#part.announced) {
      const failedStarts = at === start.at && start.careful ? start.failedStarts + 1 : 0;
      if (failedStarts >= (death.reason === "killed" ? MAX_KILLED_STARTS : LEAF_ATTEMPTS))
        throw new ScytheError("engine", `The process died before its first spec: ${death.detail}`);
      return { ...next, failedStarts };
    }
    // the memory may be from earlier specs: a spec is blamed only for what a new process runs out of
    if (death.reason === "out_of_memory" && !(at === start.at && start.fresh)) return next;
    const attempt = await this.crashes.died(at, begun.attempt, death, this.#timeoutMs());
    if (attempt !== undefined) return { ...next, attempt };
    this.#context.onFailed(1);
    return { ...next, at: at + 1, attempt: 1 };
  }

  #request({ at, attempt, careful, suspected = false }: ProcessStart, until: number): ChunkRequest {
    const { experiment, memoryLimit, maxOutputSize, memory } = this.#settings;
    return {
      experiment: experiment.name,
      inputs: runInputs(this.#settings.storage, this.#run.layout),
      ...this.#paths,
      from: at,
      to: until,
      firstAttempt: attempt,
      careful,
      confirm: suspected,
      memoryLimit: experiment.memoryLimit ?? memoryLimit ?? null,
      maxOutputSize: experiment.maxOutputSize ?? maxOutputSize,
      maxRowSize: largestRow(memory.totalMb),
      extraColumns: this.#run.details.extra_columns,
      unionColumns: this.#run.details.union_columns ?? false,
      seed: this.#run.details.seed,
      rootRunId: this.#run.manifest.workflow_run_id,
      timeoutMs: this.#timeoutMs(),
      worker: this.#settings.worker,
      timeBudgetMs: this.#remaining(),
    };
  }

  #timeoutMs(): number {
    const own = this.#run.retry?.timeout_ms ?? this.#settings.experiment.executionTimeoutMs;
    return own ?? this.#settings.executionTimeoutMs;
  }

  #remaining(): number | null {
    const { box_ms } = this.#task;
    return box_ms === null ? null : Math.max(0, box_ms - (performance.now() - this.#begun));
  }
}

/** A leaf ends early only where nothing learned about a spec would be lost with it. */
function isSettled({ attempt, careful }: ProcessStart): boolean {
  return attempt === 1 && !careful;
}

function assertSameCode({ experiment, worker }: LeafSettings, task: LeafTask): void {
  if (experiment.schemaHash === task.schema_hash) return;
  throw new ScytheError("engine", `${worker} has another version of ${experiment.name} than the run`, {
    hint: "Restore the experiment's schemas to what they were (see the manifest's git_commit), or allocate a new run.",
  });
}

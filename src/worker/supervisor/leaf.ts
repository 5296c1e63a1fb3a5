import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { LEAF_ATTEMPTS, type TaskContext } from "../../engine/engine.ts";
import { ScytheError } from "../../errors.ts";
import type { FetchUri } from "../../files/fetch.ts";
import type { LeafResult, LeafTask, RunInfo, TreeSettings } from "../../scatter/run-task.ts";
import { largestRow } from "../../table/memory-budget.ts";
import type { ChunkRequest } from "../protocol.ts";
import { runInputs } from "../task/run-inputs.ts";
import { specsPathOf } from "./node-specs.ts";
import type { BufferPool } from "./part-buffers.ts";
import { PartWriter } from "./part-writer.ts";
import { recordedFetch } from "./recorded-inputs.ts";
import type { ChunkRunner, Death, RunnerEnd } from "./runner.ts";
import { SpecAccount } from "./spec-account.ts";
import { SpecNotes, type Trials } from "./spec-notes.ts";

export interface LeafSettings extends TreeSettings {
  runner: ChunkRunner;
  buffers: BufferPool;
  trials: Trials;
  /** Name of this worker, for `errors.pq`. */
  worker: string;
  /** Used by experiments that do not say. */
  executionTimeoutMs: number;
  memoryLimit: number | undefined;
  maxOutputSize: number;
  fetchUri: FetchUri;
}

const ALIVE_MS = 5_000;

/** A leaf's surroundings, beside what its engine says. */
export interface LeafContext extends TaskContext {
  /** Aborts when the specs in hand are to be killed. */
  kill: AbortSignal;
  /** Told of failed specs as they come. */
  onFailed(count: number): void;
}

/**
 * Runs one chunk and writes its part. What kills a process costs the spec that did it: the process is replaced, and the
 * specs that had not been handed over are announced one by one until the culprit is known.
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
  const { ok, failed } = await part.commit(end, chunk.account.failures);
  return { from: task.from, to: end, ok, failed, seconds };
}

/** Where a process begins: the spec at `at` is at its `attempt`-th try; `vain` processes died before it. */
interface Turn {
  at: number;
  attempt: number;
  careful: boolean;
  vain: number;
  /** The process is a new one, so that what it holds is the first spec's. */
  fresh: boolean;
  /** An earlier worker died with this spec, or with one soon after it. */
  suspected?: boolean;
}

/** A process that somebody kills while it starts is not the project's fault; that often, there is no use in going on. */
const MOST_KILLED_IN_VAIN = 20;

class LeafRun {
  readonly account: SpecAccount;
  readonly #settings: LeafSettings;
  readonly #run: RunInfo;
  readonly #task: LeafTask;
  readonly #context: LeafContext;
  readonly #part: PartWriter;
  readonly #notes: SpecNotes;
  /** What is under suspicion is met once; others may be tried when its trial is over. */
  #trial: "ahead" | "on" | "over" = "ahead";
  #endTrial: () => void = () => undefined;
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
    this.account = new SpecAccount(settings.experiment, run, paths.specsPath, settings.worker);
  }

  get seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  /** Returns the position up to which every spec is settled. */
  async run(): Promise<number> {
    // engines know the experiment's time limit alone: a longer one would look like a dead worker
    const longer = this.#run.retry?.timeout_ms ?? null;
    const alive = longer === null ? undefined : setInterval(() => this.#context.heartbeat(), ALIVE_MS).unref();
    try {
      return await this.#turns();
    } finally {
      clearInterval(alive);
      this.#endTrial();
    }
  }

  async #turns(): Promise<number> {
    const { from, to } = this.#task;
    let next: Turn = { at: from, attempt: 1, careful: false, vain: 0, fresh: false };
    while (next.at < to) {
      if (next.at === this.#notes.suspect?.position && this.#trial === "ahead") next = await this.#meetSuspect(next);
      if (next.at === to) break;
      const until = this.#until(next.at);
      const end = await this.#turn(next, until);
      if (end.type === "stopped") return Math.max(next.at, this.#part.upTo);
      if (end.type === "ended" && !end.dirty && (end.next < until || until === to)) return end.next;
      next =
        end.type === "ended"
          ? { at: end.next, attempt: end.nextAttempt, careful: false, vain: 0, fresh: false }
          : await this.#afterDeath(next, end);
      if (this.#context.signal.aborted || (this.#remaining() === 0 && isSettled(next))) return next.at;
    }
    return next.at;
  }

  #turn(turn: Turn, until: number): Promise<RunnerEnd> {
    this.#part.announced = false;
    return this.#settings.runner.run(this.#context.slot, this.#request(turn, until), {
      onRows: (rows, removeDirs) => {
        this.#context.heartbeat();
        this.#part.add(rows, removeDirs);
        if (rows.errors.rows > 0) this.#context.onFailed(rows.errors.rows);
        if (turn.suspected && rows.announced) return this.#notes.begin(rows.upTo);
        this.#notes.at(rows.upTo);
        if (turn.suspected) this.#acquit();
        return undefined;
      },
      onSaid: (said) => this.#part.say(said),
      fetchUri: recordedFetch(this.#settings.storage, this.#run, this.#settings.fetchUri),
      signal: this.#context.signal,
      kill: this.#context.kill,
    });
  }

  /** A process runs up to what is under suspicion; then that has its turn. */
  #until(at: number): number {
    const suspect = this.#notes.suspect?.position ?? -1;
    return at < suspect ? suspect : this.#task.to;
  }

  /** What has taken its worker with it too often is given up; before that it is tried with no other such spec at once. */
  async #meetSuspect(turn: Turn): Promise<Turn> {
    const { position, begun, condemned } = this.#notes.suspect!;
    this.#trial = condemned ? "over" : "on";
    if (condemned) {
      await this.account.quarantine(position, begun);
      this.#context.onFailed(1);
      return { ...turn, at: position + 1 };
    }
    const waiting = setInterval(() => this.#context.heartbeat(), 1_000);
    this.#endTrial = await this.#settings.trials.begin().finally(() => clearInterval(waiting));
    return { ...turn, careful: true, suspected: true };
  }

  #acquit(): void {
    this.#trial = "over";
    this.#endTrial();
  }

  /** Where to go on: at the culprit when it is known and has tries left, behind it when not, carefully otherwise. */
  async #afterDeath(turn: Turn, death: Death): Promise<Turn> {
    const at = Math.max(turn.at, this.#part.upTo);
    const begun = { at, attempt: at === turn.at ? turn.attempt : 1 };
    const next = { ...begun, careful: true, vain: 0, fresh: true, suspected: this.#trial === "on" };
    if (!this.#part.announced) {
      const vain = at === turn.at && turn.careful ? turn.vain + 1 : 0;
      if (vain >= (death.reason === "killed" ? MOST_KILLED_IN_VAIN : LEAF_ATTEMPTS))
        throw new ScytheError("engine", `The process dies before its first spec: ${death.detail}`);
      return { ...next, vain };
    }
    // memory may be that of the specs before it: it is blamed for what a process of its own runs out of
    if (death.reason === "out_of_memory" && !(at === turn.at && turn.fresh)) return next;
    const attempt = await this.account.died(at, begun.attempt, death, this.#timeoutMs());
    if (attempt !== undefined) return { ...next, attempt };
    this.#context.onFailed(1);
    return { ...next, at: at + 1, attempt: 1 };
  }

  #request({ at, attempt, careful, suspected = false }: Turn, until: number): ChunkRequest {
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

/** What has been found out of a spec is lost with the leaf, so a leaf ends only where there is nothing to lose. */
function isSettled({ attempt, careful }: Turn): boolean {
  return attempt === 1 && !careful;
}

function assertSameCode({ experiment, worker }: LeafSettings, task: LeafTask): void {
  if (experiment.schemaHash === task.schema_hash) return;
  throw new ScytheError("engine", `${worker} has another version of ${experiment.name} than the run was made with`, {
    hint: "Restore the experiment's schemas to what they were (see the manifest's git_commit), or allocate a new run.",
  });
}

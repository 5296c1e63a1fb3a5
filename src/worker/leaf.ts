import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { LEAF_ATTEMPTS, type TaskContext } from "../engine/engine.ts";
import { ScytheError } from "../errors.ts";
import { schemaHash } from "../run/allocate.ts";
import type { LeafResult, LeafTask, RunInfo, TreeSettings } from "../scatter/run-task.ts";
import { nodeSpecsPath } from "./node-specs.ts";
import type { BufferPool } from "./part-buffers.ts";
import { PartWriter } from "./part-writer.ts";
import type { ChunkRequest } from "./protocol.ts";
import type { ChunkRunner, Death } from "./runner.ts";
import { SpecAccount } from "./spec-account.ts";

export interface LeafSettings extends TreeSettings {
  runner: ChunkRunner;
  buffers: BufferPool;
  /** Name of this worker, for `errors.pq`. */
  worker: string;
  /** Used by experiments that do not say. */
  executionTimeoutMs: number;
  fetchUri: (uri: string) => Promise<string>;
}

/**
 * Runs one chunk and writes its part. What kills a process costs the spec that did it: the process is replaced, and the
 * specs that had not been handed over are announced one by one until the culprit is known.
 */
export async function runLeaf(settings: LeafSettings, task: LeafTask, context: TaskContext): Promise<LeafResult> {
  const run = await settings.runs.get(task.experiment_id);
  assertSameCode(settings, task);
  await mkdir(settings.scratch, { recursive: true });
  const tempRoot = await mkdtemp(join(settings.scratch, "leaf-"));
  try {
    return await settings.buffers.use(settings.experiment, run.details.extra_columns, async (buffers) => {
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
  context: TaskContext,
  part: PartWriter,
  tempRoot: string,
): Promise<LeafResult> {
  const specsPath = await nodeSpecsPath(settings.storage, run.layout, task.path, settings.scratch);
  const chunk = new LeafRun(settings, run, task, context, part, { specsPath, tempRoot });
  const end = await chunk.run();
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
}

class LeafRun {
  readonly account: SpecAccount;
  readonly #settings: LeafSettings;
  readonly #run: RunInfo;
  readonly #task: LeafTask;
  readonly #context: TaskContext;
  readonly #part: PartWriter;
  readonly #paths: { specsPath: string; tempRoot: string };
  readonly #begun = performance.now();

  constructor(
    settings: LeafSettings,
    run: RunInfo,
    task: LeafTask,
    context: TaskContext,
    part: PartWriter,
    paths: { specsPath: string; tempRoot: string },
  ) {
    this.#settings = settings;
    this.#run = run;
    this.#task = task;
    this.#context = context;
    this.#part = part;
    this.#paths = paths;
    this.account = new SpecAccount(settings.experiment, run, paths.specsPath, settings.worker);
  }

  get seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  /** Returns the position up to which every spec is settled. */
  async run(): Promise<number> {
    const { from, to } = this.#task;
    let next: Turn = { at: from, attempt: 1, careful: false, vain: 0 };
    while (next.at < to) {
      this.#part.announced = false;
      const end = await this.#settings.runner.run(this.#context.slot, this.#request(next), {
        onRows: (rows, removeDirs) => {
          this.#context.heartbeat();
          this.#part.add(rows, removeDirs);
        },
        onOutput: (text) => this.#part.output(text),
        fetchUri: this.#settings.fetchUri,
        signal: this.#context.signal,
      });
      if (end.type === "ended" && !end.dirty) return end.next;
      next =
        end.type === "ended"
          ? { at: end.next, attempt: end.nextAttempt, careful: false, vain: 0 }
          : await this.#afterDeath(next, end);
      if (this.#context.signal.aborted || this.#remaining() === 0) return next.at;
    }
    return next.at;
  }

  /** Where to go on: at the culprit when it is known and has tries left, behind it when not, carefully otherwise. */
  async #afterDeath(turn: Turn, death: Death): Promise<Turn> {
    const at = Math.max(turn.at, this.#part.upTo);
    if (!this.#part.announced) {
      const vain = at === turn.at && turn.careful ? turn.vain + 1 : 0;
      if (vain >= LEAF_ATTEMPTS)
        throw new ScytheError("engine", `The process dies before its first spec: ${death.detail}`);
      return { at, attempt: at === turn.at ? turn.attempt : 1, careful: true, vain };
    }
    const attempt = at === turn.at ? turn.attempt : 1;
    const settled = await this.account.died(at, attempt, death, this.#timeoutMs());
    if (settled) return { at: at + 1, attempt: 1, careful: true, vain: 0 };
    return { at, attempt: attempt + 1, careful: true, vain: 0 };
  }

  #request({ at, attempt, careful }: Turn): ChunkRequest {
    return {
      experiment: this.#settings.experiment.name,
      ...this.#paths,
      from: at,
      to: this.#task.to,
      firstAttempt: attempt,
      careful,
      extraColumns: this.#run.details.extra_columns,
      seed: this.#run.details.seed,
      rootRunId: this.#run.manifest.workflow_run_id,
      timeoutMs: this.#timeoutMs(),
      worker: this.#settings.worker,
      boxMs: this.#remaining(),
    };
  }

  #timeoutMs(): number {
    return this.#settings.experiment.executionTimeoutMs ?? this.#settings.executionTimeoutMs;
  }

  #remaining(): number | null {
    const { box_ms } = this.#task;
    return box_ms === null ? null : Math.max(0, box_ms - (performance.now() - this.#begun));
  }
}

function assertSameCode({ experiment, worker }: LeafSettings, task: LeafTask): void {
  if (schemaHash(experiment) === task.schema_hash) return;
  throw new ScytheError("engine", `${worker} has another version of ${experiment.name} than the run was made with`, {
    hint: "Restore the experiment's schemas to what they were (see the manifest's git_commit), or allocate a new run.",
  });
}

import { setMaxListeners } from "node:events";
import { messageOf } from "../../errors.ts";
import { cancelled } from "../engine.ts";
import { runNodeLoop } from "../node-loop.ts";
import { Semaphore } from "../semaphore.ts";
import { SlotPool } from "../slot-pool.ts";
import { Children, tooDeep } from "./children.ts";
import { type Host, programOf, type RoutedProgram } from "./host.ts";
import { DEEPEST_LEVEL } from "./options.ts";
import { loadSdk, type SdkContext, type SdkTask } from "./sdk.ts";
import {
  duration,
  HANDED_BACK,
  type LeafInput,
  leafTaskName,
  type NodeInput,
  nodeTaskName,
  type Output,
  ROOT_KEY,
  stackWithError,
} from "./wire.ts";

/** How often a node may be handed back or started again; a node that fails is not. */
const NODE_RETRIES = 100;
/** Nodes that plan at once: planning lists, and may split a file of specs. */
const PLANNING_NODES = 4;

/** What one worker process works on, and the signal that tells it to stop. */
export class Workload {
  readonly #planning = new Semaphore(PLANNING_NODES);
  readonly #stop = new AbortController();
  /** Tasks that run, waiting nodes included. */
  busy = 0;
  /** When the last task ended. */
  idleSince = Date.now();
  /** Called with the level of each node that begins. */
  onNode: (level: number) => void = () => undefined;

  /** Aborts when the worker is to stop: a node that waits goes to another worker, a leaf ends after its spec. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  stop(worker: string): void {
    this.#stop.abort(new Error(`${HANDED_BACK}: ${worker} stops`));
  }

  planInTurn<T>(plan: () => Promise<T>): Promise<T> {
    return this.#planning.use(plan);
  }

  async count<T>(work: () => Promise<T>): Promise<T> {
    this.busy++;
    try {
      return await work();
    } finally {
      this.busy--;
      this.idleSince = Date.now();
    }
  }
}

/** The tasks of all programs. */
export interface Tasks {
  /** By level. */
  nodes: SdkTask[][];
  leaves: SdkTask[];
}

/** Makes the Hatchet tasks of all programs. */
export function defineTasks(host: Host, workload: Workload): Tasks {
  const slots = new SlotPool(host.options.worker.slots);
  const running = new Deduplicator<Output>();
  const programs = Object.keys(host.programs).flatMap((name) => programOf(host, name) ?? []);
  const once = (sdk: SdkContext, work: () => Promise<Output>) =>
    running.run(sdk, () => workload.count(() => toWireError(work())));
  const nodeTask = (program: RoutedProgram, level: number) =>
    task(host, {
      name: nodeTaskName(program.name, level),
      description: `Nodes of level ${level} of ${program.name}`,
      retries: NODE_RETRIES,
      scheduleMs: host.options.nodeScheduleMs,
      executionMs: host.options.nodeExecutionMs,
      run: (input: NodeInput, sdk) => {
        workload.onNode(level);
        return once(sdk, () => runNode(host, workload, program, input, sdk));
      },
    });
  const leafTask = (program: RoutedProgram) =>
    task(host, {
      name: leafTaskName(program.name),
      description: program.route.description ?? `Specs of ${program.name}`,
      retries: 0, // the node that spawned it tries again, and counts
      scheduleMs: program.route.leafScheduleMs,
      executionMs: program.route.leafSilenceMs,
      run: (input: LeafInput, sdk) => once(sdk, () => runLeaf(host, workload, slots, program, input, sdk)),
    });
  return {
    nodes: Array.from({ length: DEEPEST_LEVEL + 1 }, (_, level) => programs.map((own) => nodeTask(own, level))),
    leaves: programs.map(leafTask),
  };
}

interface TaskDefinition<Input> {
  name: string;
  description: string;
  retries: number;
  scheduleMs: number;
  executionMs: number;
  run(input: Input, sdk: SdkContext): Promise<Output>;
}

/** The SDK infers inputs and outputs from functions; ours have types of their own. */
function task<Input>({ client }: Host, definition: TaskDefinition<Input>): SdkTask {
  const { name, description, retries, scheduleMs, executionMs, run } = definition;
  const [scheduleTimeout, executionTimeout] = [duration(scheduleMs), duration(executionMs)];
  const options = { name, description, retries, scheduleTimeout, executionTimeout, fn: run };
  return client.task(options as never) as unknown as SdkTask;
}

/**
 * One node, as a plain task that spawns its children and waits. (As a durable task the same took eight times as long.)
 * It remembers nothing: started again elsewhere, it reads from storage how far it had come, and finds its children by key.
 */
async function runNode(
  host: Host,
  workload: Workload,
  program: RoutedProgram,
  input: NodeInput,
  sdk: SdkContext,
): Promise<Output> {
  if (input.level > DEEPEST_LEVEL) throw tooDeep(input.level);
  const root = input.root ?? sdk.workflowRunId();
  const own = sdk.abortController.signal;
  // Cancelled, most likely; but an attempt that overran its limit ends as well, and the next has begun.
  if (input.root === null) own.addEventListener("abort", () => void host.roots.check(root), { once: true });
  return host.roots.use(root, async (rootEnded) => {
    const runEnded = AbortSignal.any([own, rootEnded]);
    const signal = AbortSignal.any([runEnded, workload.stopped]);
    setMaxListeners(0, signal); // each child waits on it
    const children = new Children(host, {
      program,
      root,
      signal,
      level: input.level,
      runId: sdk.workflowRunId(),
      taskId: sdk.taskRunExternalId(),
      metadata: { ...input.metadata, [ROOT_KEY]: root },
    });
    const alive = keepAlive(sdk, host.options.nodeExecutionMs);
    try {
      const value = await runNodeLoop(program.code, input.node, {
        signal,
        throwIfStopped: () => {
          if (workload.stopped.aborted) throw workload.stopped.reason;
          if (signal.aborted) throw cancelled();
        },
        context: async () => ({
          signal: runEnded,
          attempt: sdk.retryCount() + 1,
          capacity: await children.capacity(),
          slot: 0,
          heartbeat: noop,
          releaseSlot: noop,
        }),
        planInTurn: (plan) => workload.planInTurn(plan),
        runWave: (wave) => children.settle(wave),
      });
      return { value };
    } finally {
      alive.stop();
    }
  });
}

/** One leaf. Where Hatchet cancels a task, it frees the task's slot while it still works here: slots are counted here, too. */
async function runLeaf(
  host: Host,
  workload: Workload,
  slots: SlotPool,
  { code, route }: RoutedProgram,
  input: LeafInput,
  sdk: SdkContext,
): Promise<Output> {
  return host.roots.use(input.root, (rootEnded) =>
    slots.use(async (slot, releaseSlot) => {
      const signal = AbortSignal.any([sdk.abortController.signal, rootEnded, workload.stopped]);
      const alive = keepAlive(sdk, route.leafSilenceMs, route.leafSilenceMs);
      const attempt = input.attempt + sdk.retryCount(); // Hatchet itself gives a dead worker's task to another
      try {
        if (workload.stopped.aborted) throw workload.stopped.reason;
        const done = attempt > 1 ? await code.lookupLeaf(input.leaf) : undefined;
        if (done !== undefined) return { value: done }; // by a worker that died before it could say so
        const context = { signal, attempt, capacity: slots.size, slot, heartbeat: alive.heard, releaseSlot };
        return { value: await code.leaf(input.leaf, context) };
      } finally {
        alive.stop();
      }
    }),
  );
}

function noop(): void {}

/** A task's time limit grows by what has passed of it, this often within it. */
const REFRESHES = 3;

/**
 * Keeps Hatchet from ending a task that works: its limit is for tasks whose worker hangs. Without a sign of life for
 * `silenceMs` it is left to its limit.
 */
function keepAlive(sdk: SdkContext, limitMs: number, silenceMs = Number.POSITIVE_INFINITY) {
  let last = performance.now();
  const step = Math.max(1_000, Math.floor(limitMs / REFRESHES));
  const timer = setInterval(() => {
    if (performance.now() - last > silenceMs) return;
    // Hatchet adds what it is given to the limit. What fails now is made up for next time.
    sdk.refreshTimeout(duration(step)).catch(() => undefined);
  }, step).unref();
  return {
    /** A sign of life. */
    heard: () => {
      last = performance.now();
    },
    stop: () => clearInterval(timer),
  };
}

/** What tells tasks, their tries and their deliveries apart. */
type Delivery = Pick<SdkContext, "taskRunExternalId" | "retryCount" | "abortController">;

/**
 * The tasks that this process runs. Hatchet may deliver one twice, and the SDK would run it twice at the same time; here
 * the second delivery waits for the first one's work and reports the same.
 */
export class Deduplicator<T> {
  readonly #running = new Map<string, { first: Delivery; work: Promise<T> }>();

  run(delivery: Delivery, begin: () => Promise<T>): Promise<T> {
    const key = `${delivery.taskRunExternalId()}.${delivery.retryCount()}`; // another try is other work
    const known = this.#running.get(key);
    if (known) {
      // The SDK tells the latest delivery alone that the task is cancelled.
      const { signal } = delivery.abortController;
      signal.addEventListener("abort", () => known.first.abortController.abort(signal.reason), { once: true });
      return known.work;
    }
    const work = begin().finally(() => this.#running.delete(key));
    this.#running.set(key, { first: delivery, work });
    return work;
  }
}

/** Errors in the form in which Hatchet carries them. What is handed back, Hatchet gives to another worker. */
async function toWireError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (messageOf(error).includes(HANDED_BACK)) throw error;
    const { NonRetryableError } = loadSdk();
    const final = new NonRetryableError(messageOf(error));
    final.stack = stackWithError(error);
    throw final;
  }
}

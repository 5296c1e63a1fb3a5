import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../../errors.ts";
import { isFinal, type Json, LEAF_ATTEMPTS, type Settled, type Wave } from "../engine.ts";
import { settleAll } from "../node-loop.ts";
import { Semaphore } from "../semaphore.ts";
import { type Host, labelText, leafLabels, leafMetadata, nodeMetadata, type RoutedProgram } from "./host.ts";
import { retryUntil } from "./retry-until.ts";
import type { RunEnd } from "./run-ends.ts";
import type { Client } from "./sdk.ts";
import {
  childKey,
  HANDED_BACK,
  type LeafInput,
  leafTaskName,
  type Metadata,
  type NodeInput,
  nodeTaskName,
  readError,
  wasThrown,
} from "./wire.ts";

/** The node whose children are run. */
export interface Parent {
  program: RoutedProgram;
  runId: string;
  taskId: string;
  root: string;
  level: number;
  metadata: Metadata;
  /** Aborts when the run has ended, or the worker is to stop. */
  signal: AbortSignal;
}

/** Leaves in Hatchet's queue, for each that can run: what waits there is close to its turn, and its time limit is not. */
const QUEUED_PER_SLOT = 2;
const MIN_QUEUED = 4;
const MAX_QUEUED = 1_000;
/** Child nodes that a node has open at once. */
const OPEN_NODES = 64;
const CAPACITY_MS = 10_000;
/** A try that came to nothing sooner than this did so for another reason than a lack of workers. */
const SOON_MS = 20_000;
const PAUSE_MS = 5_000;
/** Tries of a node that failed without an error of its own: its workers died, each time. */
const NODE_TRIES = 5;

/** Runs the children of one node, a bounded number at a time, until each has settled. */
export class Children {
  readonly #host: Host;
  readonly #parent: Parent;
  readonly #spawner: Spawner;
  readonly #leaves = new Semaphore(MIN_QUEUED);
  readonly #nodes = new Semaphore(OPEN_NODES);
  /** How often a payload was asked for: a later wave may ask for the same range again. */
  readonly #asked = new Map<string, number>();
  #warned = false;

  constructor(host: Host, parent: Parent) {
    this.#host = host;
    this.#parent = parent;
    this.#spawner = new Spawner(host.client, parent, host.options.log);
  }

  /**
   * Runs a wave to its end.
   * @throws the first child node's failure, when all have settled
   */
  async settle({ nodes = [], leaves = [] }: Wave): Promise<Settled[]> {
    await this.capacity();
    const following = setInterval(() => void this.capacity(), CAPACITY_MS).unref();
    try {
      const open = nodes.map((node) => this.#nodes.use(() => this.#node(node)));
      const queued = leaves.map((leaf) => this.#leaves.use(() => this.#leaf(leaf)));
      return await settleAll(open, queued);
    } finally {
      clearInterval(following);
    }
  }

  /** Leaves that can run at once, as far as is known; how many are queued follows it. */
  async capacity(): Promise<number> {
    const { program } = this.#parent;
    const { fleet, namespace, options } = this.#host;
    const own = options.worker.doesLeaf ? options.worker.slots : 0;
    const there = await fleet.slotsFor(namespace(leafTaskName(program.name)), leafLabels(program.route));
    if (there === 0 && own === 0) this.#warn();
    const capacity = Math.max(1, there ?? own, own);
    this.#leaves.setLimit(Math.min(MAX_QUEUED, Math.max(MIN_QUEUED, capacity * QUEUED_PER_SLOT)));
    return capacity;
  }

  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    const { name, route } = this.#parent.program;
    const labels = labelText(leafLabels(route));
    this.#host.options.log(`${name}: no worker can run its specs now; they wait for one with ${labels}`);
  }

  async #leaf(payload: Json): Promise<Settled> {
    const { program, level, root } = this.#parent;
    const metadata = leafMetadata(this.#host.options, this.#parent.metadata, payload, level);
    const asked = this.#countAsked(payload);
    for (let attempt = 1, tries = 1; ; tries++) {
      const input: LeafInput = { leaf: payload, level, attempt: tries, root, metadata };
      const key = childKey(payload, asked, tries);
      const child = { task: leafTaskName(program.name), input, key, labels: leafLabels(program.route), metadata };
      const end = await this.#run(child, () => program.code.lookupLeaf(payload));
      if (end.kind === "completed") return { payload, result: end.value };
      if (end.kind !== "failed" || end.error.includes(HANDED_BACK)) continue;
      const error = readError(end.error);
      if (attempt >= LEAF_ATTEMPTS || isFinal(error)) return { payload, error };
      attempt++;
    }
  }

  async #node(payload: Json): Promise<Json> {
    const { program, root } = this.#parent;
    const level = this.#parent.level + 1;
    const metadata = nodeMetadata(this.#host.options, this.#parent.metadata, payload, level);
    const asked = this.#countAsked(payload);
    const input: NodeInput = { node: payload, level, root, metadata };
    const task = nodeTaskName(program.name, level);
    for (let tries = 1, lost = 0; ; tries++) {
      const key = childKey(payload, asked, tries);
      const end = await this.#run({ task, input, key, labels: program.route.code, metadata });
      if (end.kind === "completed") return end.value;
      if (end.kind !== "failed" || end.error.includes(HANDED_BACK)) continue;
      if (wasThrown(end.error) || ++lost >= NODE_TRIES) throw readError(end.error);
      this.#host.options.log(`${task} was lost (${end.error}); it is tried again`);
    }
  }

  /** One try of a child; says so when it came to nothing. */
  async #run(child: Child, lookup?: () => Promise<Json | undefined>): Promise<RunEnd> {
    const { signal } = this.#parent;
    const begun = performance.now();
    const runId = await this.#spawner.spawn(child);
    const end = await this.#host.ends.wait(runId, lookup ? { signal, lookup } : { signal });
    if (end.kind === "completed" || end.kind === "failed") return end;
    const waited = performance.now() - begun;
    const why =
      end.kind === "unknown" ? "is unknown to Hatchet" : "was taken by no worker in time, or cancelled by hand";
    this.#host.options.log(`${child.task} ${why} after ${Math.round(waited / 1000)} s; it is tried again`);
    if (waited < SOON_MS) await sleep(PAUSE_MS, undefined, { signal });
    return end;
  }

  #countAsked(payload: Json): number {
    const text = JSON.stringify(payload);
    const asked = this.#asked.get(text) ?? 0;
    this.#asked.set(text, asked + 1);
    return asked;
  }
}

/** A run whose tree is deeper than there are task names. */
export function tooDeep(level: number): ScytheError {
  return new ScytheError("engine", `The tree is deeper than ${level - 1} levels`, {
    hint: "Give the run a smaller maxDepth.",
  });
}

/** A child to be triggered. */
interface Child {
  task: string;
  input: object;
  key: string;
  labels: Readonly<Record<string, string>>;
  metadata: Metadata;
}

interface Waiting {
  child: Child;
  resolve: (runId: string) => void;
  reject: (error: unknown) => void;
}

/** Children of one request: 500 is the SDK's own bound, the server takes 4 MiB. */
const BATCH_SIZE = 200;
/** Children asked for within this time go in one request. */
const GATHER_MS = 5;
/** An engine that restarts, or a database that is moved, may take this long. */
const SPAWN_WITHIN_MS = 15 * 60_000;

/**
 * Triggers the children of one node, many in a request. Asking twice is safe: a key names one child. Their tasks must be
 * registered: the server accepts any name, and silently drops what it does not know.
 */
class Spawner {
  readonly #client: Client;
  readonly #parent: Parent;
  readonly #log: (line: string) => void;
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(client: Client, parent: Parent, log: (line: string) => void) {
    this.#client = client;
    this.#parent = parent;
    this.#log = log;
  }

  /** The run id of the child. */
  spawn(child: Child): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ child, resolve, reject });
      if (!this.#busy) void this.#send();
    });
  }

  async #send(): Promise<void> {
    this.#busy = true;
    await sleep(GATHER_MS);
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_SIZE);
      try {
        const runIds = await this.#trigger(batch.map(({ child }) => child));
        for (const [i, { resolve }] of batch.entries()) resolve(runIds[i]!);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#busy = false;
  }

  async #trigger(children: readonly Child[]): Promise<string[]> {
    const { runId, taskId, signal } = this.#parent;
    const runs = children.map(({ task, input, key, labels, metadata }) => ({
      workflowName: task,
      input,
      options: {
        parentId: runId,
        parentTaskRunExternalId: taskId,
        childIndex: 0,
        childKey: key,
        additionalMetadata: metadata,
        desiredWorkerLabels: required(labels),
      },
    }));
    const trigger = async () => {
      signal.throwIfAborted();
      const refs = await this.#client.admin.runWorkflows(runs);
      return Promise.all(refs.map((ref) => ref.runId));
    };
    return retryUntil("to start tasks", trigger, { withinMs: SPAWN_WITHIN_MS, signal, log: this.#log });
  }
}

/** Labels as a run asks for them. */
export function required(labels: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, { value, required: true }]));
}

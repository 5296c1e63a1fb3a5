import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../../errors.ts";
import { isFinal, type Json, LEAF_ATTEMPTS, type Settled, type Wave } from "../engine.ts";
import { settleAll } from "../node-loop.ts";
import { Semaphore } from "../semaphore.ts";
import { type Host, type Known, leafLabels, metadataOf } from "./host.ts";
import type { RunEnd } from "./run-ends.ts";
import type { Child, Spawner } from "./spawner.ts";
import { childKey, type LeafInput, leafTaskName, type Metadata, type NodeInput, nodeTaskName } from "./tasks.ts";
import { HANDED_BACK, readError, wasThrown } from "./wire-error.ts";

/** The node whose children are run. */
export interface Parent {
  program: Known;
  root: string;
  level: number;
  metadata: Metadata;
  /** Aborts when the run has ended, or the worker is to stop. */
  signal: AbortSignal;
}

/** Leaves in Hatchet's queue, for each that can run: what waits there is close to its turn, and its time limit is not. */
const QUEUED_A_SLOT = 2;
const LEAST_WINDOW = 4;
const MOST_WINDOW = 1_000;
/** Child nodes that a node has open at once. */
const OPEN_NODES = 64;
const LOOK_MS = 10_000;
/** A try that came to nothing sooner than this did so for another reason than a lack of workers. */
const SOON_MS = 20_000;
const PAUSE_MS = 5_000;
/** Tries of a node that was not even heard of again: its workers died, each time. */
const NODE_TRIES = 5;

/** Runs the children of one node, in bounded windows, until each has settled. */
export class Children {
  readonly #host: Host;
  readonly #parent: Parent;
  readonly #spawner: Spawner;
  readonly #leaves = new Semaphore(LEAST_WINDOW);
  readonly #nodes = new Semaphore(OPEN_NODES);
  /** How often a payload was asked for: a later wave may ask for the same range again. */
  readonly #asked = new Map<string, number>();
  #warned = false;

  constructor(host: Host, parent: Parent, spawner: Spawner) {
    this.#host = host;
    this.#parent = parent;
    this.#spawner = spawner;
  }

  /**
   * Runs a wave to its end.
   * @throws the first child node's failure, when all have settled
   */
  async settle({ nodes = [], leaves = [] }: Wave): Promise<Settled[]> {
    await this.capacity();
    const looking = setInterval(() => void this.capacity(), LOOK_MS).unref();
    try {
      const open = nodes.map((node) => this.#nodes.use(() => this.#node(node)));
      const settled = leaves.map((leaf) => this.#leaves.use(() => this.#leaf(leaf)));
      return await settleAll(open, settled);
    } finally {
      clearInterval(looking);
    }
  }

  /** Leaves that can run at once, as far as anybody knows; the window follows it. */
  async capacity(): Promise<number> {
    const { program } = this.#parent;
    const own = this.#host.options.worker.doesLeaf ? this.#host.options.worker.slots : 0;
    const there = await this.#host.fleet.slotsFor(
      leafTaskName(this.#host.namespace(program.name)),
      leafLabels(program.route),
    );
    if (there === 0 && own === 0) this.#warn();
    const capacity = Math.max(1, there ?? own, own);
    this.#leaves.setLimit(Math.min(MOST_WINDOW, Math.max(LEAST_WINDOW, capacity * QUEUED_A_SLOT)));
    return capacity;
  }

  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    const labels = Object.entries(leafLabels(this.#parent.program.route)).map(([name, value]) => `${name}=${value}`);
    this.#host.options.log(
      `${this.#parent.program.name}: no worker can run its specs now; they wait for one with ${labels.join(", ")}`,
    );
  }

  async #leaf(payload: Json): Promise<Settled> {
    const { program, level, root } = this.#parent;
    const metadata = this.#metadata(payload, level);
    const asked = this.#ask(payload);
    for (let attempt = 1, tries = 1; ; tries++) {
      const input: LeafInput = { leaf: payload, level, attempt: tries, root, metadata };
      const end = await this.#run(
        {
          task: leafTaskName(program.name),
          input,
          key: childKey(payload, asked, tries),
          labels: leafLabels(program.route),
          metadata,
        },
        () => program.code.lookupLeaf(payload),
      );
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
    const metadata = this.#metadata(payload, level);
    const asked = this.#ask(payload);
    const input: NodeInput = { node: payload, level, root, metadata };
    for (let tries = 1, lost = 0; ; tries++) {
      const end = await this.#run({
        task: nodeTaskName(program.name, level),
        input,
        key: childKey(payload, asked, tries),
        labels: program.route.code,
        metadata,
      });
      if (end.kind === "completed") return end.value;
      if (end.kind !== "failed" || end.error.includes(HANDED_BACK)) continue;
      if (wasThrown(end.error) || ++lost >= NODE_TRIES) throw readError(end.error);
      this.#host.options.log(`${nodeTaskName(program.name, level)} was lost (${end.error}); it is tried again`);
    }
  }

  /** One try of a child, told of when it came to nothing. */
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

  #metadata(payload: Json, level: number): Metadata {
    return metadataOf(this.#host.options, this.#parent.metadata, payload, level);
  }

  #ask(payload: Json): number {
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

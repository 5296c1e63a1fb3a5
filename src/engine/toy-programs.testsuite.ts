import { setImmediate as tick } from "node:timers/promises";
import type { Programs, Settled, TaskContext, TreeProgram, Wave } from "./engine.ts";

/** A node of the toy tree: `waves` of so many leaves each, child nodes beside the first. */
export type CountNode = {
  name: string;
  waves: number[];
  children?: CountNode[];
  /** Leaf name → how often it throws before it succeeds. */
  throwing?: Record<string, number>;
  failing?: "expand" | "merge";
  /** Leaves give others time to begin. */
  pausing?: boolean;
};

type LeafPayload = {
  leaf: string;
  throws: number;
  pausing: boolean;
};

interface Event {
  step: "expand" | "merge";
  node: string;
  /** Leaves that had settled anywhere by then. */
  doneLeaves: number;
  settled: string[];
}

/** What the toy programs did, in order. */
export class Recorder {
  readonly leaves: string[] = [];
  readonly events: Event[] = [];
  readonly failures: [string, string][] = [];
  readonly slotsSeen = new Set<number>();
  readonly slotClashes: number[] = [];
  readonly capacities = new Set<number>();
  readonly firstLeaf: Promise<void>;
  /** Becomes true once a leaf in hand is told to stop. */
  readonly aborted: Promise<boolean>;
  onLeaf: (() => Promise<void>) | undefined;
  mostRunning = 0;
  readonly #attempts = new Map<string, number[]>();
  readonly #busy = new Set<number>();
  readonly #waveOf = new Map<string, number>();
  readonly #first = deferred();
  readonly #abort = deferred();
  #settled = 0;

  constructor() {
    this.firstLeaf = this.#first.promise;
    this.aborted = this.#abort.promise.then(() => true);
  }

  get running(): number {
    return this.#busy.size;
  }

  attemptsOf(leaf: string): number[] {
    return this.#attempts.get(leaf) ?? [];
  }

  /** Long enough for any leaf that waits for a slot to begin, were there one. */
  async pause(): Promise<void> {
    for (let i = 0; i < 50; i++) await tick();
  }

  expanded(node: CountNode, settled: readonly Settled<LeafPayload>[]): number {
    for (const leaf of settled) {
      const name = leaf.payload.leaf;
      if ("error" in leaf) this.failures.push([name, leaf.error.message]);
    }
    this.#settled += settled.length;
    const names = settled.map(({ payload }) => payload.leaf).sort();
    this.events.push({ step: "expand", node: node.name, doneLeaves: this.#settled, settled: names });
    const wave = this.#waveOf.get(node.name) ?? 0;
    this.#waveOf.set(node.name, wave + 1);
    return wave;
  }

  merged(node: CountNode): void {
    this.events.push({ step: "merge", node: node.name, doneLeaves: this.#settled, settled: [] });
  }

  async leaf({ leaf, throws, pausing }: LeafPayload, context: TaskContext): Promise<void> {
    const { slot, attempt, capacity, signal } = context;
    if (this.#busy.has(slot)) this.slotClashes.push(slot);
    this.#busy.add(slot);
    this.slotsSeen.add(slot);
    this.capacities.add(capacity);
    this.mostRunning = Math.max(this.mostRunning, this.#busy.size);
    this.#attempts.set(leaf, [...this.attemptsOf(leaf), attempt]);
    signal.addEventListener("abort", this.#abort.resolve);
    this.#first.resolve();
    try {
      if (pausing) for (let i = 0; i < 5; i++) await tick();
      await this.onLeaf?.();
      if (attempt <= throws) throw new Error(`leaf ${leaf} throws`);
      this.leaves.push(leaf);
    } finally {
      this.#busy.delete(slot);
      signal.removeEventListener("abort", this.#abort.resolve);
    }
  }
}

/** `count`: a tree whose merge gives the number of leaves that succeeded under it. */
export function toyPrograms(record: Recorder): Programs {
  const count: TreeProgram<CountNode, LeafPayload> = {
    expand: async (node, settled) => {
      const wave = record.expanded(node, settled);
      if (node.failing === "expand") throw new Error(`expand of ${node.name} throws`);
      return waveOf(node, wave);
    },
    leaf: async (payload, context) => {
      await record.leaf(payload, context);
      return { done: true };
    },
    merge: async (node) => {
      if (node.failing === "merge") throw new Error(`merge of ${node.name} throws`);
      record.merged(node);
      return { leaves: record.leaves.filter((leaf) => isUnder(leaf, node.name)).length };
    },
    lookupLeaf: async () => undefined,
    lookupRoot: async () => undefined,
  };
  return { count };
}

function waveOf(node: CountNode, wave: number): Wave<CountNode, LeafPayload> {
  const size = node.waves[wave];
  const children = wave === 0 ? (node.children ?? []) : [];
  if (size === undefined && children.length === 0) return {};
  const leaves = Array.from({ length: size ?? 0 }, (_, i): LeafPayload => {
    const leaf = `${node.name}/${wave}/${i}`;
    return { leaf, throws: node.throwing?.[leaf] ?? 0, pausing: node.pausing ?? false };
  });
  return { nodes: children, leaves };
}

function isUnder(leaf: string, node: string): boolean {
  const own = leaf.slice(0, leaf.indexOf("/"));
  return own === node || own.startsWith(`${node}.`);
}

export function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

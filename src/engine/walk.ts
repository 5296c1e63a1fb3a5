import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../errors.ts";
import { type Json, LEAF_ATTEMPTS, type Settled, type TaskContext, type TreeProgram } from "./engine.ts";
import { SlotPool } from "./slot-pool.ts";

/** Nodes of one level that are open at once: enough to keep every slot busy, few enough to stay small in memory. */
const OPEN_NODES_PER_LEVEL = 4;

/** Walks a tree program in this process: nodes here, leaves on a bounded number of slots. */
export class TreeWalk {
  readonly #program: TreeProgram;
  readonly #slots: SlotPool;
  readonly #levels: SlotPool[] = [];
  readonly #signal: AbortSignal;

  /** @param slots those of the engine: runs at the same time share them */
  constructor(program: TreeProgram, slots: SlotPool, signal: AbortSignal) {
    this.#program = program;
    this.#slots = slots;
    this.#signal = signal;
  }

  async run(root: Json): Promise<Json> {
    return this.#node(root, 0);
  }

  async #node(node: Json, level: number): Promise<Json> {
    let settled: Settled[] = [];
    for (;;) {
      await this.#program.ready?.(node, this.#signal);
      this.#throwIfCancelled();
      const wave = await this.#program.expand(node, settled, this.#context(1, 0));
      const { nodes = [], leaves = [] } = wave;
      if (nodes.length + leaves.length === 0) break;
      const children = nodes.map((child) => this.#level(level).use(() => this.#node(child, level + 1)));
      const results = Promise.all(leaves.map((leaf) => this.#leaf(leaf)));
      await settleAll([...children, results]);
      settled = await results;
    }
    this.#throwIfCancelled();
    return this.#program.merge(node, this.#context(1, 0));
  }

  async #leaf(payload: Json): Promise<Settled> {
    for (let attempt = 1; ; attempt++) {
      if (this.#signal.aborted) return { payload, error: cancelled() };
      try {
        const result = await this.#slots.use(async (slot, release) => {
          if (this.#signal.aborted) throw cancelled();
          return this.#program.leaf(payload, { ...this.#context(attempt, slot), releaseSlot: release });
        });
        return { payload, result };
      } catch (error) {
        if (attempt >= LEAF_ATTEMPTS || isFinal(error) || this.#signal.aborted)
          return { payload, error: error as Error };
        await sleep(100 * 2 ** attempt * (0.5 + Math.random() / 2));
      }
    }
  }

  #level(level: number): SlotPool {
    this.#levels[level] ??= new SlotPool(OPEN_NODES_PER_LEVEL);
    return this.#levels[level];
  }

  #context(attempt: number, slot: number): TaskContext {
    return { signal: this.#signal, attempt, capacity: this.#slots.size, slot, heartbeat: noop, releaseSlot: noop };
  }

  #throwIfCancelled(): void {
    if (this.#signal.aborted) throw cancelled();
  }
}

/** Trying again would fail again: the code or the request is wrong, or somebody else has the run. */
export function isFinal(error: unknown): boolean {
  return error instanceof ScytheError && ["invalid_definition", "invalid_input", "conflict"].includes(error.code);
}

export function cancelled(): ScytheError {
  return new ScytheError("cancelled", "The run was cancelled.", { hint: "What is done is kept." });
}

export function isCancelled(error: unknown): boolean {
  return error instanceof ScytheError && error.code === "cancelled";
}

function noop(): void {}

/** Waits for all, then throws the first failure: nothing is left running behind an error. */
async function settleAll(work: Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}

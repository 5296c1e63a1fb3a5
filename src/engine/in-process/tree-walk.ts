import { setTimeout as sleep } from "node:timers/promises";
import {
  cancelled,
  isFinal,
  type Json,
  LEAF_ATTEMPTS,
  type Settled,
  type TaskContext,
  type TreeProgram,
  type Wave,
} from "../engine.ts";
import { runNodeLoop, settleAll } from "../node-loop.ts";
import { Semaphore } from "../semaphore.ts";
import type { SlotPool } from "../slot-pool.ts";

/** Nodes of one level that are open at once: enough to keep every slot busy, few enough to stay small in memory. */
const OPEN_NODES_PER_LEVEL = 4;

/** Walks a tree program in this process: nodes here, leaves on a bounded number of slots. */
export class TreeWalk {
  readonly #program: TreeProgram;
  readonly #slots: SlotPool;
  readonly #levels: Semaphore[] = [];
  readonly #signal: AbortSignal;

  /** @param slots those of the engine: runs at the same time share them */
  constructor(program: TreeProgram, slots: SlotPool, signal: AbortSignal) {
    this.#program = program;
    this.#slots = slots;
    this.#signal = signal;
  }

  run(root: Json): Promise<Json> {
    return this.#node(root, 0);
  }

  #node(node: Json, level: number): Promise<Json> {
    return runNodeLoop(this.#program, node, {
      signal: this.#signal,
      throwIfStopped: () => this.#throwIfCancelled(),
      context: () => this.#context(1, 0),
      runWave: (wave) => this.#wave(wave, level),
    });
  }

  #wave({ nodes = [], leaves = [] }: Wave, level: number): Promise<Settled[]> {
    const children = nodes.map((child) => this.#level(level).use(() => this.#node(child, level + 1)));
    return settleAll(
      children,
      leaves.map((leaf) => this.#leaf(leaf)),
    );
  }

  async #leaf(payload: Json): Promise<Settled> {
    for (let attempt = 1; ; attempt++) {
      if (this.#signal.aborted) return { payload, error: cancelled() };
      try {
        const result = await this.#slots.use(async (slot, release) => {
          this.#throwIfCancelled();
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

  #level(level: number): Semaphore {
    this.#levels[level] ??= new Semaphore(OPEN_NODES_PER_LEVEL);
    return this.#levels[level];
  }

  #context(attempt: number, slot: number): TaskContext {
    return { signal: this.#signal, attempt, capacity: this.#slots.size, slot, heartbeat: noop, releaseSlot: noop };
  }

  #throwIfCancelled(): void {
    if (this.#signal.aborted) throw cancelled();
  }
}

function noop(): void {}

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Least time between two collections: they take longer than many specs. */
const PAUSE_MS = 500;

/**
 * Detects that this process has grown so much that a spec would pay for earlier ones: after a garbage collection it
 * still uses half of the memory that a spec has in a new process.
 */
export class IdleMemory {
  readonly #most: number;
  #collected = Number.NEGATIVE_INFINITY;

  /** @param atRest what the process used before its first spec; like `limit`, in bytes */
  constructor(limit: number, atRest: number) {
    this.#most = atRest + (limit - atRest) / 2;
  }

  hasGrown(): boolean {
    if (process.memoryUsage.rss() <= this.#most) return false;
    if (performance.now() - this.#collected < PAUSE_MS) return false;
    collectGarbage(); // V8 does not know the limit, so it would not collect by itself
    this.#collected = performance.now();
    return process.memoryUsage.rss() > this.#most;
  }
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

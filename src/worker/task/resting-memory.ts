import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Between two collections at least: they take longer than many specs. */
const PAUSE_MS = 500;

/**
 * Tells when this process has grown so much over its specs that a spec would pay for those before it: when at rest it
 * holds half of the room that a spec has in a new one.
 */
export class RestingMemory {
  readonly #most: number;
  #collected = Number.NEGATIVE_INFINITY;

  /** @param atRest what the process held before its first spec; with `limit`, in bytes */
  constructor(limit: number, atRest: number) {
    this.#most = atRest + (limit - atRest) / 2;
  }

  hasGrown(): boolean {
    if (process.memoryUsage.rss() <= this.#most) return false;
    if (performance.now() - this.#collected < PAUSE_MS) return false;
    collectGarbage(); // V8 sees no reason to, as it knows nothing of the limit
    this.#collected = performance.now();
    return process.memoryUsage.rss() > this.#most;
  }
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

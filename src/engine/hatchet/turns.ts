import { Semaphore } from "../semaphore.ts";
import { HANDED_BACK } from "./wire-error.ts";

/** Nodes that plan at once: planning lists, and may split a file of specs. */
const EXPANDS = 4;

/** What bounds the nodes and leaves of one worker process, and tells them when it is to stop. */
export class Turns {
  readonly #expands = new Semaphore(EXPANDS);
  readonly #stop = new AbortController();
  /** Tasks in hand. */
  busy = 0;
  lastBusy = Date.now();
  /** Told of the level of each node that is begun. */
  onLevel: (level: number) => void = () => undefined;

  /** Aborts when the worker is to stop: a node that waits goes to another worker, a leaf ends after its spec. */
  get handBack(): AbortSignal {
    return this.#stop.signal;
  }

  stop(worker: string): void {
    this.#stop.abort(new Error(`${HANDED_BACK}: ${worker} stops`));
  }

  expand<T>(work: () => Promise<T>): Promise<T> {
    return this.#expands.use(work);
  }

  async count<T>(work: () => Promise<T>): Promise<T> {
    this.busy++;
    try {
      return await work();
    } finally {
      this.busy--;
      this.lastBusy = Date.now();
    }
  }
}

import { cancelled } from "../engine.ts";
import type { RunEnds } from "./run-ends.ts";

interface Watched {
  stop: AbortController;
  tasks: number;
  /** When its last task ended. */
  leftAt: number;
  checked: Promise<void>;
}

const CHECK_MS = 2_000;
/** A root without a task here is remembered this long: those still queued need not ask again whether it has ended. */
const REMEMBER_MS = 60_000;

/**
 * Tells the tasks of this process when their run's root has ended. Hatchet does not cancel a task's children, and a leaf
 * that it cancels is dropped as it runs, so that nothing says when it has stopped. So only the root is cancelled, and every
 * worker asks about the roots that it works for.
 */
export class RootWatch {
  readonly #ends: RunEnds;
  readonly #roots = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(ends: RunEnds) {
    this.#ends = ends;
  }

  /**
   * Gives work a signal that aborts when the root has ended.
   * @throws ScytheError `cancelled` when it has ended already
   */
  async use<T>(root: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const watched = this.#watch(root);
    watched.tasks++;
    try {
      await watched.checked;
      watched.stop.signal.throwIfAborted();
      return await work(watched.stop.signal);
    } finally {
      watched.tasks--;
      watched.leftAt = Date.now();
    }
  }

  #watch(root: string): Watched {
    const known = this.#roots.get(root);
    if (known) return known;
    const watched: Watched = { stop: new AbortController(), tasks: 0, leftAt: 0, checked: Promise.resolve() };
    this.#roots.set(root, watched);
    watched.checked = this.check(root);
    this.#timer ??= setInterval(() => this.#checkAll(), CHECK_MS).unref();
    return watched;
  }

  #checkAll(): void {
    for (const [root, watched] of this.#roots) {
      if (watched.tasks > 0) void this.check(root);
      else if (Date.now() - watched.leftAt > REMEMBER_MS) this.#roots.delete(root);
    }
    if (this.#roots.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** A server that is away has cancelled nothing, nor one that does not know the run yet. */
  async check(root: string): Promise<void> {
    const end = await this.#ends.ask(root).catch(() => undefined);
    if (end && end.kind !== "unknown") this.#roots.get(root)?.stop.abort(cancelled());
  }
}

import { platform } from "../../platform/current.ts";

/**
 * The fastest growth of memory, in bytes per millisecond: the wait until the next reading follows from what is left.
 */
const MAX_GROWTH = 4e6;
const MIN_WAIT_MS = 10;
/** How often it searches for processes that have left their parents. */
const DETACHED_MS = 2_000;

/** Measures a process and everything it started, and calls `over` once when that exceeds the limit. */
export class MemoryWatch {
  readonly #leader: number;
  readonly #owner: string;
  readonly #limit: number;
  readonly #over: (bytes: number) => void;
  #detached: number[] = [];
  #detachedSeen = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(leader: number, owner: string, limit: number, over: (bytes: number) => void) {
    this.#leader = leader;
    this.#owner = owner;
    this.#limit = limit;
    this.#over = over;
    this.#check();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #check(): void {
    const bytes = this.#measure();
    if (bytes === undefined) return; // not available on this system: docs/guide/errors.md
    if (bytes > this.#limit) {
      this.#over(bytes);
      return;
    }
    const wait = (this.#limit - bytes) / MAX_GROWTH;
    this.#timer = setTimeout(() => this.#check(), Math.max(MIN_WAIT_MS, Math.min(platform.memoryLookMs, wait)));
  }

  /** First counts shared pages for each process, and only once for all when that exceeds the limit. */
  #measure(): number | undefined {
    if (performance.now() - this.#detachedSeen > DETACHED_MS) {
      this.#detached = platform.startedBy(this.#leader, this.#owner);
      this.#detachedSeen = performance.now();
    }
    const members = [this.#leader, ...this.#detached];
    const bytes = platform.residentBytes(members);
    return bytes !== undefined && bytes > this.#limit ? platform.proportionalBytes(members) || bytes : bytes;
  }
}

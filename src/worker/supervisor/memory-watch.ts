import { platform } from "../../platform/current.ts";

/** Nothing fills memory faster than this, in bytes a millisecond: how long a look may wait follows from what is left. */
const FASTEST = 4e6;
const SOONEST_MS = 10;
/** How often it looks for processes that have taken leave of their parents. */
const STRAYS_MS = 2_000;

/** Measures a process and all that it started, and says so once when that is above the limit. */
export class MemoryWatch {
  readonly #leader: number;
  readonly #owner: string;
  readonly #limit: number;
  readonly #over: (bytes: number) => void;
  #strays: number[] = [];
  #straysSeen = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(leader: number, owner: string, limit: number, over: (bytes: number) => void) {
    this.#leader = leader;
    this.#owner = owner;
    this.#limit = limit;
    this.#over = over;
    this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    const bytes = this.#measure();
    if (bytes === undefined) return; // this system does not tell: docs/guide/errors.md
    if (bytes > this.#limit) {
      this.#over(bytes);
      return;
    }
    const wait = (this.#limit - bytes) / FASTEST;
    this.#timer = setTimeout(() => this.#look(), Math.max(SOONEST_MS, Math.min(platform.memoryLookMs, wait)));
  }

  /** Pages that processes share are counted for each at first, and only for all once when that matters. */
  #measure(): number | undefined {
    if (performance.now() - this.#straysSeen > STRAYS_MS) {
      this.#strays = platform.startedBy(this.#leader, this.#owner);
      this.#straysSeen = performance.now();
    }
    const members = [this.#leader, ...this.#strays];
    const bytes = platform.residentBytes(members);
    return bytes !== undefined && bytes > this.#limit ? platform.proportionalBytes(members) || bytes : bytes;
  }
}

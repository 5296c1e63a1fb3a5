const WATCH_MS = 100;

/** Calls `late` when `reset` was not called within the limit. */
export class TimeWatch {
  readonly #limit: number;
  readonly #timer: NodeJS.Timeout;
  #last: number | undefined = performance.now();

  constructor(limit: number, late: () => void) {
    this.#limit = limit;
    this.#timer = setInterval(() => {
      if (this.#last !== undefined && performance.now() - this.#last > this.#limit) late();
    }, WATCH_MS);
  }

  reset(): void {
    this.#last = performance.now();
  }

  pause(): void {
    this.#last = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** A counting semaphore, first come first served, whose limit may change while work waits. */
export class Semaphore {
  #limit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      this.#admit();
    }
  }

  /** More work begins at once; less once enough of what runs has ended. */
  setLimit(limit: number): void {
    this.#limit = limit;
    this.#admit();
  }

  #admit(): void {
    while (this.#running < this.#limit) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#running++;
      next();
    }
  }
}

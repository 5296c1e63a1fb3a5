/**
 * Lets so much work be under way at a time, first come first served. The limit may change: what waits goes on when it is
 * looked at again.
 */
export class Window {
  limit: number;
  readonly #waiting: (() => void)[] = [];
  #open = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#open >= this.limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#open++;
    try {
      return await work();
    } finally {
      this.#open--;
      this.#admit();
    }
  }

  grow(limit: number): void {
    this.limit = limit;
    this.#admit();
  }

  #admit(): void {
    while (this.#open < this.limit) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#open++;
      next();
    }
  }
}

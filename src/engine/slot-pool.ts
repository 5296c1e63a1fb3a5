/** A fixed number of numbered slots; work waits its turn, first come first served. */
export class SlotPool {
  readonly size: number;
  readonly #free: number[];
  readonly #waiting: ((slot: number) => void)[] = [];
  /** Work that goes on without the slot that it has given back. */
  #trailing = 0;

  constructor(size: number) {
    this.size = size;
    this.#free = Array.from({ length: size }, (_, i) => size - 1 - i);
  }

  /**
   * Runs work on a slot of its own. With `release` it may give the slot back before it ends; no more than `size` do so
   * at a time, so that what trails behind stays bounded.
   */
  async use<T>(work: (slot: number, release: () => void) => Promise<T>): Promise<T> {
    const slot = this.#free.pop() ?? (await new Promise<number>((resolve) => this.#waiting.push(resolve)));
    let released = false;
    const release = () => {
      if (released || this.#trailing >= this.size) return;
      released = true;
      this.#trailing++;
      this.#give(slot);
    };
    try {
      return await work(slot, release);
    } finally {
      if (released) this.#trailing--;
      else this.#give(slot);
    }
  }

  #give(slot: number): void {
    const next = this.#waiting.shift();
    if (next) next(slot);
    else this.#free.push(slot);
  }
}

/** What a merge takes of memory for the bytes of its largest row; a list of digits or of empty lists takes most. */
export const ROW_FACTOR = 96;

/** Bytes of the largest row that merges with so much memory can hold. */
export function largestRow(mergeMemoryMb: number): number {
  return Math.floor((mergeMemoryMb * 2 ** 20) / ROW_FACTOR);
}

/**
 * Memory that the merges of one process may take together. Who asks for more than is left waits, first come first
 * served; who asks for more than there is gets all of it, alone.
 */
export class MemoryBudget {
  readonly totalMb: number;
  readonly #waiting: { mb: number; admit: () => void }[] = [];
  #leftMb: number;
  #alone: Promise<unknown> = Promise.resolve();

  constructor(totalMb: number) {
    this.totalMb = totalMb;
    this.#leftMb = totalMb;
  }

  /** Runs work with as many MiB as it asks for, or as there are. */
  async use<T>(wantedMb: number, work: (mb: number) => Promise<T>): Promise<T> {
    const mb = Math.min(wantedMb, this.totalMb);
    if (this.#waiting.length > 0 || mb > this.#leftMb) {
      await new Promise<void>((admit) => this.#waiting.push({ mb, admit }));
    } else {
      this.#leftMb -= mb;
    }
    try {
      return await work(mb);
    } finally {
      this.#leftMb += mb;
      this.#admit();
    }
  }

  /** Runs work that takes up to all there is beside what others have: one such at a time. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#alone.then(work);
    this.#alone = mine.catch(() => undefined);
    return mine;
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next && next.mb <= this.#leftMb; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#leftMb -= next.mb;
      next.admit();
    }
  }
}

/**
 * Memory that the merges of one process may take together. Who asks for more than is left waits, first come first
 * served; who asks for more than there is gets all of it, alone.
 */
export class MemoryBudget {
  readonly totalMb: number;
  readonly #waiting: { mb: number; admit: () => void }[] = [];
  #leftMb: number;

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

  #admit(): void {
    for (let next = this.#waiting[0]; next && next.mb <= this.#leftMb; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#leftMb -= next.mb;
      next.admit();
    }
  }
}

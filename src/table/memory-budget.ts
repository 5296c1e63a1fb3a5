/** What a merge may take of memory for the bytes of its largest row: a list of digits or of empty lists takes most. */
export const ROW_FACTOR = 96;
/** What it takes for the bytes of a row of text, and of long texts in lists. */
const TEXT_FACTOR = 32;
/** Each value of a list or object takes as much as so many bytes of text more. */
const VALUE_BYTES = 4;

/** Size, as {@link mergedSize} counts, of the largest row that merges with so much memory can hold. */
export function largestRow(mergeMemoryMb: number): number {
  return Math.floor((mergeMemoryMb * 2 ** 20) / TEXT_FACTOR);
}

/** The most that a character of text may count. */
export const MOST_OF_A_CHARACTER = 1 + VALUE_BYTES;

/** What a merge takes of memory for a cell, in bytes of text. @param nested for the JSON text of a list or object */
export function mergedSize(text: string, nested: boolean): number {
  const bytes = Buffer.byteLength(text);
  if (!nested) return bytes;
  let values = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === COMMA || code === BRACKET || code === BRACE) values++; // those inside of texts, too: that is on the safe side
  }
  return bytes + VALUE_BYTES * values;
}

const [COMMA, BRACKET, BRACE] = [",", "[", "{"].map((character) => character.charCodeAt(0));

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

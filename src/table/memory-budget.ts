/** Memory that a merge may take per byte of its largest row: most for a list of digits or of empty lists. */
export const ROW_FACTOR = 96;
/** Memory per byte of a row of text, or of long texts in lists. */
const TEXT_FACTOR = 32;
/** Each value in a list or object counts as this many more bytes of text. */
const VALUE_BYTES = 4;

/** Size, as counted by {@link mergedSize}, of the largest row that a merge with this much memory can hold. */
export function largestRow(mergeMemoryMb: number): number {
  return Math.floor((mergeMemoryMb * 2 ** 20) / TEXT_FACTOR);
}

/** The most that one character can count. */
export const MAX_BYTES_PER_CHARACTER = 1 + VALUE_BYTES;

/**
 * Memory that merging a cell takes, in bytes of text.
 * @param nested for the JSON text of a list or object
 */
export function mergedSize(text: string, nested: boolean): number {
  const bytes = Buffer.byteLength(text);
  if (!nested) return bytes;
  let values = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === COMMA || code === BRACKET || code === BRACE) values++; // also counts those inside strings: a safe overestimate
  }
  return bytes + VALUE_BYTES * values;
}

const [COMMA, BRACKET, BRACE] = [",", "[", "{"].map((character) => character.charCodeAt(0));

/**
 * The memory budget of one process's merges. A request for more than is left waits, first come first served; a request
 * for more than the total gets all of it, alone.
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

  /** Runs work with the requested MiB, or with the total if that is less. */
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

  /** Runs work that may use all memory besides that of others: one at a time. */
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

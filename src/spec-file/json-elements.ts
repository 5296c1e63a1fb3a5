/** A JSON syntax error and its line. */
export class NotJson extends Error {
  readonly line: number;

  constructor(problem: string, line: number) {
    super(problem);
    this.line = line;
  }
}

export class TooLong extends Error {}

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const OPEN = new Set([91, 123]);
const CLOSE = new Set([93, 125]);
const ARRAY_END = 93;
const isBlank = (code: number) => code === 32 || code === 10 || code === 13 || code === 9;

/**
 * Splits the text of one array, or of consecutive values, into its elements, each as unparsed text. Holds only one at a
 * time.
 */
export class JsonElements {
  readonly #limit: number;
  #array: boolean | undefined;
  #ended = false;
  /** An element may start here; otherwise a comma or the end must follow. */
  #open = true;
  #afterComma = false;
  #line = 1;
  #startLine = 1;
  #parts: string[] = [];
  #held = 0;
  #within = false;
  #depth = 0;
  #inString = false;
  #escaped = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The elements that end in this piece. @throws NotJson, TooLong */
  *push(piece: string): Generator<string> {
    let start = 0;
    for (let i = 0; i < piece.length; i++) {
      const code = piece.charCodeAt(i);
      if (code === 10) this.#line++;
      if (this.#within) {
        const end = this.#step(code);
        if (end === undefined) continue;
        yield this.#take(piece.slice(start, i + end));
        if (end === 1) continue;
      }
      if (isBlank(code)) continue;
      if (this.#between(code)) continue;
      start = i;
      this.#begin(code);
    }
    if (this.#within) this.#hold(piece.slice(start));
  }

  /** Yields an element that is ended by the end of the text. */
  *end(): Generator<string> {
    if (this.#within && this.#depth === 0 && !this.#inString && !this.#array) yield this.#take("");
    if (this.#within || (this.#array && !this.#ended)) throw new NotJson("it ends too early", this.#line);
    if (this.#array === undefined) throw new NotJson("it is empty", this.#line);
  }

  /** Line where the last element started. */
  get startLine(): number {
    return this.#startLine;
  }

  /** Undefined inside an element; at its end, how many of this character belong to it. */
  #step(code: number): 0 | 1 | undefined {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (code === BACKSLASH) this.#escaped = true;
      else if (code === QUOTE) {
        this.#inString = false;
        return this.#depth === 0 ? 1 : undefined;
      }
      return undefined;
    }
    if (this.#depth === 0) return isBlank(code) || code === COMMA || CLOSE.has(code) ? 0 : undefined;
    if (code === QUOTE) this.#inString = true;
    else if (OPEN.has(code)) this.#depth++;
    else if (CLOSE.has(code) && --this.#depth === 0) return 1;
    return undefined;
  }

  /** True for a character between elements. */
  #between(code: number): boolean {
    if (this.#array === undefined) {
      this.#array = code === 91;
      if (this.#array) return true;
    }
    if (this.#ended) throw new NotJson("something follows the end of the array", this.#line);
    if (!this.#array) return false;
    if (code === ARRAY_END && !this.#afterComma) {
      this.#ended = true;
      return true;
    }
    if (code === COMMA && !this.#open) {
      this.#open = true;
      this.#afterComma = true;
      return true;
    }
    if (!this.#open || code === COMMA || code === ARRAY_END) {
      throw new NotJson(`unexpected ${JSON.stringify(String.fromCharCode(code))}`, this.#line);
    }
    return false;
  }

  #begin(code: number): void {
    this.#within = true;
    this.#startLine = this.#line;
    this.#depth = OPEN.has(code) ? 1 : 0;
    this.#inString = code === QUOTE;
    this.#escaped = false;
    if (CLOSE.has(code)) throw new NotJson(`unexpected ${JSON.stringify(String.fromCharCode(code))}`, this.#line);
  }

  #hold(part: string): void {
    this.#held += part.length;
    if (this.#held > this.#limit) throw new TooLong();
    this.#parts.push(part);
  }

  #take(last: string): string {
    this.#hold(last);
    const text = this.#parts.length === 1 ? last : this.#parts.join("");
    this.#parts = [];
    this.#held = 0;
    this.#within = false;
    this.#open = false;
    this.#afterComma = false;
    return text;
  }
}

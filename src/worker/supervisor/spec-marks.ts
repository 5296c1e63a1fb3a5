/**
 * Marks in the output of a worker's process: the text after a mark belongs to the named spec. They are part of the
 * text, so they stay in order with the output of processes that specs start, and survive a crash.
 */

const MARK = /\0\u001dscythe:(\d+|end)\u001d/;
/** The start of a mark whose rest has not arrived. */
const CUT = /\0(\u001d[^\u001d]{0,30})?$/;

/** Marks the start of a spec, or (`end`) of the end of a chunk. */
type Mark = (at: number | "end") => void;

/**
 * Puts a mark into a stream whenever the spec that prints changes. Returns a function that puts one explicitly, for the
 * output of other processes.
 */
export function markWrites(stream: NodeJS.WriteStream, current: () => number | undefined): Mark {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  let marked: number | "end" | undefined;
  const mark: Mark = (at) => {
    if (at === marked && at !== "end") return;
    marked = at;
    write(`\0\u001dscythe:${at}\u001d`);
  };
  stream.write = ((...args: unknown[]) => {
    const sortIndex = current();
    if (sortIndex !== undefined) mark(sortIndex);
    return write(...args);
  }) as typeof stream.write;
  return mark;
}

/** Removes the marks again. One instance per stream and process. */
export class MarkReader {
  #pending = "";
  #sortIndex: number | undefined;
  /** Chunks whose output has been read completely. */
  ends = 0;

  read(text: string): { sortIndex: number | undefined; text: string }[] {
    const all = this.#pending + text;
    this.#pending = CUT.exec(all)?.[0] ?? "";
    const [first, ...rest] = all.slice(0, all.length - this.#pending.length).split(MARK);
    const pieces = [{ sortIndex: this.#sortIndex, text: first! }];
    for (let i = 0; i < rest.length; i += 2) {
      if (rest[i] === "end") this.ends++;
      else this.#sortIndex = Number(rest[i]);
      pieces.push({ sortIndex: this.#sortIndex, text: rest[i + 1]! });
    }
    return pieces.filter((piece) => piece.text !== "");
  }
}

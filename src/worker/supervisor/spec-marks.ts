/**
 * Marks in what a worker's process prints: from one on, the text is the named spec's. They travel in the text itself, so
 * that they come in order with what programs print that specs have started, and are not lost when the process dies.
 */

const MARK = /\0\u001dscythe:(\d+|end)\u001d/;
/** The beginning of a mark that the rest of is still to come. */
const CUT = /\0(\u001d[^\u001d]{0,30})?$/;

/** Where a spec begins, or (`end`) all of a chunk's specs have ended. */
type Mark = (at: number | "end") => void;

/** Puts a mark before whatever another spec prints to a stream. Returns how to put one before what others print. */
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

/** Takes the marks out again. One for each stream of each process. */
export class MarkReader {
  #pending = "";
  #sortIndex: number | undefined;
  /** Chunks whose last text has been read. */
  ends = 0;

  read(text: string): { sortIndex: number | undefined; text: string }[] {
    const all = this.#pending + text;
    this.#pending = CUT.exec(all)?.[0] ?? "";
    const [first, ...rest] = all.slice(0, all.length - this.#pending.length).split(MARK);
    const said = [{ sortIndex: this.#sortIndex, text: first! }];
    for (let i = 0; i < rest.length; i += 2) {
      if (rest[i] === "end") this.ends++;
      else this.#sortIndex = Number(rest[i]);
      said.push({ sortIndex: this.#sortIndex, text: rest[i + 1]! });
    }
    return said.filter((piece) => piece.text !== "");
  }
}

import { redact } from "../../redact.ts";
import type { Batch } from "../../table/batch.ts";
import type { LogSource, Said } from "../protocol.ts";

const MAX_FAILURES = 20;
/** Characters of one spec's log that are kept: its end. */
const MAX_SPEC = 65_536;
/** … and of all that a chunk keeps: a million specs must not fill a disk with chatter. */
const MAX_CHUNK = 1_048_576;

/**
 * What happened in one chunk, for whoever watches or asks later: an object under `scatter-gather/events/`, written while
 * the chunk runs and once more at its end. A chunk that says nothing and has no failures has none.
 */
export interface ChunkEvent {
  at: string;
  /** The first. */
  failures: { sort_index: number; kind: string; name: string; message: string }[];
  /** What specs said, in order for each spec. Without a source: `ctx.log`, in events of older versions. */
  logs: { sort_index: number; source?: LogSource; message: string }[];
  /** Specs with a log that failed. Absent in events of older versions. */
  failed?: number[];
  /** Specs whose log was given up, as too much was said. */
  dropped?: number;
  /** The end of what was printed by nobody in particular. */
  output: string;
}

interface SpecLog {
  lines: { source: LogSource; text: string }[];
  size: number;
}

/** Collects what a chunk's specs say, and its first failures, all bounded; failed specs keep their log longest. */
export class ChunkLog {
  readonly #specs = new Map<number, SpecLog>();
  readonly #failed = new Set<number>();
  #size = 0;
  #dropped = 0;
  #output = "";
  #changed = false;

  /** There is more to tell than at the last {@link event}. */
  get changed(): boolean {
    return this.#changed;
  }

  say({ sortIndex, source, text }: Said): void {
    if (text === "") return;
    this.#changed = true;
    if (sortIndex === undefined) {
      this.#output = (this.#output + text).slice(-MAX_SPEC);
      return;
    }
    const log = this.#specs.get(sortIndex) ?? { lines: [], size: 0 };
    this.#specs.set(sortIndex, log);
    const own = text.slice(-MAX_SPEC);
    const last = log.lines.at(-1);
    if (last && last.source === source && source !== "log") last.text += own;
    else log.lines.push({ source, text: own });
    this.#grow(log, own.length);
    while (log.size > MAX_SPEC) this.#shorten(log);
    if (this.#size > MAX_CHUNK) this.#makeRoom(sortIndex);
  }

  /** @param errors rows of failed specs */
  fail(errors: Batch): void {
    if (errors.rows === 0) return;
    this.#changed = true;
    for (const sortIndex of sortIndexes(errors)) this.#failed.add(sortIndex);
  }

  /** The event as JSON; undefined when there is nothing to tell. @param errors all failed rows so far */
  event(errors: Batch): string | undefined {
    this.#changed = false;
    if (errors.rows + this.#specs.size + this.#output.length === 0) return undefined;
    this.fail(errors);
    this.#changed = false;
    const column = (name: string) => errors.columns.find((c) => c.name === name)!.values;
    const failures = Array.from({ length: Math.min(MAX_FAILURES, errors.rows) }, (_, i) => ({
      sort_index: Number(column("sort_index")[i]),
      kind: String(column("__kind")[i]),
      name: String(column("__name")[i]),
      message: String(column("__message")[i]).slice(0, 1_000),
    }));
    const logs = [...this.#specs].flatMap(([sort_index, { lines }]) =>
      lines.map(({ source, text }) => ({ sort_index, source, message: redact(text) })),
    );
    const failed = [...this.#specs.keys()].filter((sortIndex) => this.#failed.has(sortIndex));
    const event: ChunkEvent = {
      at: new Date().toISOString(),
      failures,
      logs,
      failed,
      dropped: this.#dropped,
      output: redact(this.#output),
    };
    return JSON.stringify(event);
  }

  #grow(log: SpecLog, by: number): void {
    log.size += by;
    this.#size += by;
  }

  /** Takes off the beginning. */
  #shorten(log: SpecLog): void {
    const [first] = log.lines as [SpecLog["lines"][number]];
    const over = log.size - MAX_SPEC;
    const cut = Math.min(over, first.text.length);
    first.text = first.text.slice(cut);
    if (first.text === "") log.lines.shift();
    this.#grow(log, -cut);
  }

  /** Drops the oldest: of specs that did well first, then any but the one that speaks. */
  #makeRoom(speaking: number): void {
    for (const spared of [this.#failed, new Set<number>()]) {
      for (const [sortIndex, { size }] of this.#specs) {
        if (this.#size <= MAX_CHUNK) return;
        if (sortIndex === speaking || spared.has(sortIndex)) continue;
        this.#specs.delete(sortIndex);
        this.#size -= size;
        this.#dropped++;
      }
    }
  }
}

function* sortIndexes(batch: Batch): Generator<number> {
  const { values } = batch.columns.find((column) => column.name === "sort_index")!;
  for (let i = 0; i < batch.rows; i++) yield Number(values[i]);
}

import { redact } from "../../redact.ts";
import type { Batch } from "../../table/batch.ts";
import type { LogSource, SpecOutput } from "../protocol.ts";

const MAX_FAILURES = 20;
/** Most characters kept of one spec's log: its end. */
const MAX_SPEC = 65_536;
/** Most characters kept of a chunk's logs: a million specs must not fill a disk. */
const MAX_CHUNK = 1_048_576;

/**
 * What happened in one chunk, for `watch`, `logs` and similar: an object under `scatter-gather/events/`, written while
 * the chunk runs and once at its end. A chunk without output and failures has none.
 */
export interface ChunkEvent {
  at: string;
  /** The first failures. */
  failures: { sort_index: number; kind: string; name: string; message: string }[];
  /** Output of specs, in order for each spec. Without `source`: `ctx.log`, in events of older versions. */
  logs: { sort_index: number; source?: LogSource; message: string }[];
  /** Failed specs with a log. Absent in events of older versions. */
  failed?: number[];
  /** Number of specs whose log was dropped, as there was too much output. */
  dropped?: number;
  /** The end of the output that belongs to no known spec. */
  output: string;
}

interface SpecLog {
  lines: { source: LogSource; text: string }[];
  size: number;
}

/** Collects a chunk's output and first failures, all bounded; logs of failed specs are dropped last. */
export class ChunkLog {
  readonly #specs = new Map<number, SpecLog>();
  readonly #failed = new Set<number>();
  #size = 0;
  #dropped = 0;
  #output = "";
  #changed = false;

  /** Something was added since the last {@link event}. */
  get changed(): boolean {
    return this.#changed;
  }

  add({ sortIndex, source, text }: SpecOutput): void {
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

  /**
   * The event as JSON; undefined when it would be empty.
   * @param errors all failed rows so far
   */
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

  /** Removes text from the beginning. */
  #shorten(log: SpecLog): void {
    const [first] = log.lines as [SpecLog["lines"][number]];
    const over = log.size - MAX_SPEC;
    const cut = Math.min(over, first.text.length);
    first.text = first.text.slice(cut);
    if (first.text === "") log.lines.shift();
    this.#grow(log, -cut);
  }

  /** Drops the oldest logs: first of specs that succeeded, then of any but `current`. */
  #makeRoom(current: number): void {
    for (const kept of [this.#failed, new Set<number>()]) {
      for (const [sortIndex, { size }] of this.#specs) {
        if (this.#size <= MAX_CHUNK) return;
        if (sortIndex === current || kept.has(sortIndex)) continue;
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

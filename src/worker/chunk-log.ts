import type { Batch } from "../table/batch.ts";
import type { LogLine, Rows } from "./protocol.ts";

const MAX_LINES = 1_000;
const MAX_FAILURES = 20;
const MAX_OUTPUT = 65_536;

/** What happened in one chunk, for whoever watches: `scatter-gather/events/`. */
export interface ChunkEvent {
  at: string;
  failures: { sort_index: number; kind: string; name: string; message: string }[];
  logs: { sort_index: number; message: string }[];
  /** The end of what the chunk's specs printed. */
  output: string;
}

/** Collects a chunk's log lines, its first failures and the end of its output, all bounded. */
export class ChunkLog {
  readonly #lines: LogLine[] = [];
  #output = "";

  add(rows: Rows): void {
    const room = MAX_LINES - this.#lines.length;
    if (room > 0 && rows.logs.length > 0) this.#lines.push(...rows.logs.slice(0, room));
  }

  output(text: string): void {
    this.#output = (this.#output + text).slice(-MAX_OUTPUT);
  }

  /** The event as JSON; undefined when there is nothing to tell. */
  event(errors: Batch): string | undefined {
    if (errors.rows + this.#lines.length + this.#output.length === 0) return undefined;
    const column = (name: string) => errors.columns.find((c) => c.name === name)!.values;
    const failures = Array.from({ length: Math.min(MAX_FAILURES, errors.rows) }, (_, i) => ({
      sort_index: Number(column("sort_index")[i]),
      kind: String(column("__kind")[i]),
      name: String(column("__name")[i]),
      message: String(column("__message")[i]).slice(0, 1_000),
    }));
    const logs = this.#lines.map(({ sortIndex, message }) => ({ sort_index: sortIndex, message }));
    const event: ChunkEvent = { at: new Date().toISOString(), failures, logs, output: this.#output };
    return JSON.stringify(event);
  }
}

import type { Column } from "../schema/columns.ts";

/** One record of a spec file and its place, for messages: `line 7`, `row 3`. */
export interface SpecRecord {
  at: string;
  value: unknown;
}

/** The formats of a stream of specs. */
export const TEXT_FORMATS = ["csv", "jsonl", "json"] as const;
/** One of {@link TEXT_FORMATS}. */
export type TextFormat = (typeof TEXT_FORMATS)[number];

/** Text with specs, as UTF-8, from any source. */
export interface SpecText {
  /** For messages: a path, `stdin`. */
  name: string;
  pieces: AsyncIterable<Buffer>;
  /** Called when part of the input is ignored or converted. */
  notice: ((message: string) => void) | undefined;
}

/** How specs are read. */
export interface ReadOptions {
  /** Stops reading, even from a pipe that is silent. */
  signal?: AbortSignal | undefined;
  /** Called when part of the input is ignored or converted. */
  notice?: ((message: string) => void) | undefined;
}

/** Specs that are read on demand. */
export abstract class SpecReader {
  /** The specs, one by one. @param columns of the experiment's input, by which text is converted */
  abstract read(columns: readonly Column[], options?: ReadOptions): AsyncIterable<SpecRecord> | Iterable<SpecRecord>;
}

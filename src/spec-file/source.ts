import type { Column } from "../schema/columns.ts";

/** One record of a spec file and where it stands, for messages: `line 7`, `row 3`. */
export interface SpecRecord {
  at: string;
  value: unknown;
}

/** What a stream of specs may hold. */
export const TEXT_FORMATS = ["csv", "jsonl", "json"] as const;
export type TextFormat = (typeof TEXT_FORMATS)[number];

/** Text that holds specs, as UTF-8, wherever it comes from. */
export interface SpecText {
  /** For messages: a path, `stdin`. */
  name: string;
  pieces: AsyncIterable<Buffer>;
  /** Told of what was not taken as it is. */
  notice: ((message: string) => void) | undefined;
}

export interface ReadOptions {
  /** Ends the reading, also of a pipe that gives nothing. */
  signal?: AbortSignal | undefined;
  notice?: ((message: string) => void) | undefined;
}

/** Specs that are read from somewhere when they are wanted. */
export abstract class SpecReader {
  abstract read(columns: readonly Column[], options?: ReadOptions): AsyncIterable<SpecRecord>;
}

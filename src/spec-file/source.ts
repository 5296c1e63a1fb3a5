/** One record of a spec file and where it stands, for messages: `line 7`, `row 3`. */
export interface SpecRecord {
  at: string;
  value: unknown;
}

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

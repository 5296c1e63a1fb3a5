import type { Random } from "../sampling/random.ts";

/** What a running spec gets besides its input. */
export interface Context {
  /**
   * A folder for this try only, created on first use. It is removed afterwards; files that the spec returns are stored
   * first.
   */
  readonly tempDir: string;
  /** Adds a line to the run's log. */
  log(message: string): void;
  /** Aborts when the spec's time is up: pass it on to fetch, child processes and timers. */
  readonly signal: AbortSignal;
  /** Seeded by the run's seed and the spec's `sort_index`: the same numbers wherever and however often it runs. */
  readonly random: Random;
  /** Downloads a file once; returns its local path. */
  fetchUri(uri: string): Promise<string>;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly sortIndex: number;
}

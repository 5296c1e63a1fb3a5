import type { Random } from "../sampling/random.ts";

/** What a running spec is given beside its input. */
export interface Context {
  /** A folder of this try alone, made at the first look; removed afterwards, its returned files stored before. */
  readonly tempDir: string;
  /** Notes a line in the run's log. */
  log(message: string): void;
  /** Aborts when the spec's time is up: pass it on to what can stop (fetch, child processes, timers). */
  readonly signal: AbortSignal;
  /** Seeded by the run's seed and the spec's `sort_index`: the same numbers wherever and however often it runs. */
  readonly random: Random;
  /** Brings a file to this machine, once; gives its local path. */
  fetchUri(uri: string): Promise<string>;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly sortIndex: number;
}

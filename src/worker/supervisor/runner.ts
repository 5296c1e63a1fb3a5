import type { ChunkEnd, ChunkRequest, Rows, Said } from "../protocol.ts";

/** How a chunk left the process that ran it. */
export type RunnerEnd =
  | ({ type: "ended" } & ChunkEnd)
  /**
   * The process is gone: killed by us as a spec overran a limit, `killed` by a signal that nobody of us sent, or by what
   * the spec did. `detail` says how.
   */
  | { type: "died"; reason: "timeout" | "crash" | "out_of_memory" | "killed"; detail: string }
  /** We killed it, as the run was cancelled: no spec's fault. */
  | { type: "stopped" };

export type Death = Extract<RunnerEnd, { type: "died" }>;

export interface RunnerHooks {
  /** Where the request asks to `confirm`, an announced spec begins when this has resolved. */
  onRows(rows: Rows, removeDirs: string[]): void | Promise<void>;
  fetchUri(uri: string): Promise<string>;
  /** What specs say that does not come with rows. */
  onSaid(said: Said): void;
  /** Ends the chunk after the spec in hand. */
  signal: AbortSignal;
  /** Ends it at once, where the runner can. */
  kill: AbortSignal;
}

/** Runs chunks in this process (`inline`) or in children of it. */
export interface ChunkRunner {
  /** @throws ScytheError `engine` when no process could be had, or it could not load the project */
  run(slot: number, request: ChunkRequest, hooks: RunnerHooks): Promise<RunnerEnd>;
  /**
   * Starts what `slots` slots will need, before there is work: loading a project takes a while.
   * @throws ScytheError `invalid_definition`, `engine` when a process could not load it
   */
  warm(slots: number): Promise<void>;
  close(): Promise<void>;
}

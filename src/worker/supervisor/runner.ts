import type { ChunkEnd, ChunkRequest, Rows, SpecOutput } from "../protocol.ts";

/** How a chunk's process ended it. */
export type RunnerEnd =
  | ({ type: "ended" } & ChunkEnd)
  /**
   * The process died: killed by us when a spec exceeded a limit, `killed` by a signal from outside, or by the spec
   * itself. `detail` says how.
   */
  | { type: "died"; reason: "timeout" | "crash" | "out_of_memory" | "killed"; detail: string }
  /** We killed it because the run was cancelled; no spec is at fault. */
  | { type: "stopped" };

export type Death = Extract<RunnerEnd, { type: "died" }>;

export interface RunnerHooks {
  /** With `confirm` in the request, an announced spec starts when this has resolved. */
  onRows(rows: Rows, removeDirs: string[]): void | Promise<void>;
  fetchUri(uri: string): Promise<string>;
  /** Output of specs that does not come with rows. */
  onOutput(said: SpecOutput): void;
  /** Ends the chunk after the current spec. */
  signal: AbortSignal;
  /** Ends it at once, if the runner can. */
  kill: AbortSignal;
}

/** Runs chunks in this process (`inline`) or in children of it. */
export interface ChunkRunner {
  /** @throws ScytheError `engine` when no process could be started, or it could not load the project */
  run(slot: number, request: ChunkRequest, hooks: RunnerHooks): Promise<RunnerEnd>;
  /**
   * Starts the processes of `slots` slots before there is work: loading a project takes a while.
   * @throws ScytheError `invalid_definition`, `engine` when a process could not load it
   */
  warm(slots: number): Promise<void>;
  close(): Promise<void>;
}

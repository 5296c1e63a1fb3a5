import type { Column } from "../schema/columns.ts";
import type { Batch } from "../table/batch.ts";
import type { RunInputs } from "./task/run-inputs.ts";

/** A request to run specs: positions `from` … `to` − 1 of a file of specs. */
export interface ChunkRequest {
  experiment: string;
  inputs: RunInputs;
  /** Local Parquet file of the node's specs. */
  specsPath: string;
  from: number;
  to: number;
  /** The try of the spec at `from`; all others start at their first. */
  firstAttempt: number;
  extraColumns: readonly Column[];
  /** Whether inputs of a union of scalar types are index columns. */
  unionColumns: boolean;
  seed: number;
  rootRunId: string;
  /** The specs' temporary folders are created in this folder. */
  tempRoot: string;
  timeoutMs: number;
  /** Bytes that the process and its descendants may use; null = no limit. */
  memoryLimit: number | null;
  /** Largest size of a spec's rows, in bytes. */
  maxOutputSize: number;
  /** Largest size of one row, in bytes, so that a merge can hold it. */
  maxRowSize: number;
  /** Name of the worker, for `errors.pq`. */
  worker: string;
  /** Stop after this long, between two specs; null = no limit. */
  timeBudgetMs: number | null;
  /** Announce each spec before it starts, so that a crash can be attributed to the right one. */
  careful: boolean;
  /** Wait after each announcement for the supervisor's `go`. */
  confirm: boolean;
}

/** Finished rows, sent as they come: all positions below `upTo` are settled. */
export interface Rows {
  upTo: number;
  /** The spec at `upTo` starts now, and the next will be announced too: a crash is that spec's. */
  announced: boolean;
  ok: Batch;
  errors: Batch;
  tables: Record<string, Batch>;
  files: OutputFile[];
  logs: LogLine[];
}

/** A file named by a row, moved to where its spec cannot reach it; the supervisor stores it under `name`. */
export interface OutputFile {
  /** Index of the row in `Rows.ok` that names it. */
  row: number;
  field: string;
  path: string;
  name: string;
}

/** A line of `ctx.log`. */
export interface LogLine {
  sortIndex: number;
  message: string;
}

/** Where a line of a log comes from; `log` is `ctx.log`. */
export type LogSource = "log" | "stdout" | "stderr";

/** Output of a spec: a line of `ctx.log`, or text printed by it or by a process it started. */
export interface SpecOutput {
  /** Undefined when the spec is unknown. */
  sortIndex: number | undefined;
  source: LogSource;
  text: string;
}

/** How a chunk ended: at `next`, which is `to`, or earlier when its time or memory ran out. */
export interface ChunkEnd {
  next: number;
  /** The try of the spec at `next`. */
  nextAttempt: number;
  /** The process must be replaced: a spec that timed out may still be running in it, or its memory has grown. */
  dirty: boolean;
}

export type ToChild =
  | { type: "chunk"; request: ChunkRequest }
  | { type: "stop" }
  | { type: "go" }
  | { type: "fetched"; id: number; path?: string; error?: string };

export type FromChild =
  | { type: "ready" }
  | { type: "broken"; message: string; stack: string }
  | { type: "rows"; rows: Rows; removeDirs: string[] }
  | { type: "logs"; lines: LogLine[] }
  | { type: "end"; end: ChunkEnd }
  /** The process failed outside a spec; `begun`: after the first spec had started, and so perhaps because of it. */
  | { type: "failed"; message: string; stack: string; begun: boolean }
  | { type: "fetch"; id: number; uri: string };

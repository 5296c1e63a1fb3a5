import type { Column } from "../schema/columns.ts";
import type { Batch } from "../table/batch.ts";
import type { RunInputs } from "./task/run-inputs.ts";

/** What a supervisor asks of whoever runs specs: positions `from` … `to` − 1 of a file of specs. */
export interface ChunkRequest {
  experiment: string;
  inputs: RunInputs;
  /** Parquet file of the node's specs, on this machine. */
  specsPath: string;
  from: number;
  to: number;
  /** The try that the spec at `from` is at; all others are at their first. */
  firstAttempt: number;
  extraColumns: readonly Column[];
  /** Whether inputs of several plain kinds are index columns. */
  unionColumns: boolean;
  seed: number;
  rootRunId: string;
  /** Folder for the specs' temporary folders. */
  tempRoot: string;
  timeoutMs: number;
  /** Bytes that the process and what it starts may hold; null = no limit. */
  memoryLimit: number | null;
  /** Bytes that a spec's rows may take. */
  maxOutputSize: number;
  /** Bytes that one row may take, for a merge to hold it. */
  maxRowSize: number;
  /** Name of the worker, for `errors.pq`. */
  worker: string;
  /** Stop after this long, between two specs. */
  timeBudgetMs: number | null;
  /** Say before each spec that it begins, so that a death can be laid to the right one. */
  careful: boolean;
  /** Wait after each of these announcements until it is said to go on. */
  confirm: boolean;
}

/** Finished rows, handed over as they come: all positions below `upTo` are settled. */
export interface Rows {
  upTo: number;
  /** The spec at `upTo` begins now, and the next will be announced too: a death is that spec's. */
  announced: boolean;
  ok: Batch;
  errors: Batch;
  tables: Record<string, Batch>;
  files: OutputFile[];
  logs: LogLine[];
}

/** A file that a good row names, taken out of its spec's reach; the supervisor stores it under `name`. */
export interface OutputFile {
  /** Row of `Rows.ok` that names it. */
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

export type LogSource = "log" | "stdout" | "stderr";

/** What a spec said: a line by `ctx.log`, or text that it, or what it started, printed. */
export interface Said {
  /** Undefined for text that no spec is known for. */
  sortIndex: number | undefined;
  source: LogSource;
  text: string;
}

/** How a chunk ended: at `next`, which is `to`, or earlier when its time or its memory was up. */
export interface ChunkEnd {
  next: number;
  /** The try that the spec at `next` is at. */
  nextAttempt: number;
  /** The process must be replaced: work of a spec that timed out may still go on in it, or it has grown. */
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
  /** What runs specs failed; `begun`: after the first of them had begun, and so perhaps by their doing. */
  | { type: "failed"; message: string; stack: string; begun: boolean }
  | { type: "fetch"; id: number; uri: string };

import type { Worker } from "../engine.ts";

/** A worker, and what there is to know about it. */
export interface HatchetWorker extends Worker {
  /** Tasks that run, waiting nodes included. */
  readonly busy: number;
  /** When the last task ended, or the worker began. */
  readonly idleSince: number;
  /** Whether the server knows of it and it takes work. */
  readonly connected: boolean;
}

/** One thing that was looked at. */
export interface Finding {
  what: string;
  state: "ok" | "warning" | "problem";
  /** What was found. Never a secret. */
  said: string;
  /** What to do, unless all is well. */
  todo?: string;
}

import type { Json } from "../engine.ts";
import type { Connection, SdkLog } from "./sdk.ts";

/** What the adapter needs to know of one program; it knows nothing of experiments itself. */
export interface ProgramRoute {
  description?: string;
  /** Labels (name → value) that a worker must have for any task of the program: its code. */
  code: Readonly<Record<string, string>>;
  /** Labels that a worker must have besides, for leaves. */
  requires: Readonly<Record<string, string>>;
  /** Milliseconds that a leaf may wait for a worker. */
  leafScheduleMs: number;
  /** Longest time in which a leaf that works gives no sign of life. */
  leafSilenceMs: number;
}

/** What a worker offers. */
export interface WorkerOptions {
  name: string;
  /** Leaves at once. */
  slots: number;
  /** Nodes of one level that are open at once; they mostly wait. */
  nodeSlots: number;
  labels: Readonly<Record<string, string>>;
  doesFan: boolean;
  doesLeaf: boolean;
  /** How long running work may take to finish when the worker is to stop. */
  graceMs: number;
  /** Workflows of the user's own, made with the SDK. */
  additionalWorkflows: readonly unknown[];
}

/** What the dashboard is to show of payloads. */
export interface Describe<Node = Json, Leaf = Json> {
  node(node: Node): Record<string, string>;
  leaf(leaf: Leaf): Record<string, string>;
}

export interface HatchetOptions {
  connection: Connection;
  /** Before every task name; the SDK's `HATCHET_CLIENT_NAMESPACE` if not given. */
  namespace?: string;
  routes: Readonly<Record<string, ProgramRoute>>;
  worker: WorkerOptions;
  nodeScheduleMs: number;
  /** Time limit of a node; it starts again while the node works. */
  nodeExecutionMs: number;
  describe?: Describe;
  /** Lines for the person who runs the worker or waits for the run. */
  log: (line: string) => void;
  sdkLog?: SdkLog;
}

/** Deepest node; the run's recursion has the same limit. */
export const DEEPEST_LEVEL = 10;

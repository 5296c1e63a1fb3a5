import { ScytheError } from "../errors.ts";

/** What crosses an engine: plain JSON, small (names, keys, ranges; never specs or rows). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** How a leaf of an earlier wave ended. An engine that lost its memory may hand over fewer than it dispatched. */
export type Settled<Leaf = Json, Result = Json> = { payload: Leaf; result: Result } | { payload: Leaf; error: Error };

export interface TaskContext {
  /** Aborts when the run is cancelled: finish the spec that runs, commit what is done, return. */
  signal: AbortSignal;
  /** 1 for the first try of this step. */
  attempt: number;
  /** How many leaves the engine can run at once, as far as it knows. */
  capacity: number;
  /** Which of the engine's slots on this machine the step has: 0 … capacity − 1. */
  slot: number;
  /** Tells the engine that the step is alive, so that its time limit starts again. */
  heartbeat(): void;
  /** A leaf has done its work and only writes it down: the engine may give its slot to another. It need not. */
  releaseSlot(): void;
}

export interface Wave<Node = Json, Leaf = Json> {
  nodes?: readonly Node[];
  leaves?: readonly Leaf[];
}

/** Whether a node has no more children to run. */
export function isEmpty({ nodes = [], leaves = [] }: Wave<unknown, unknown>): boolean {
  return nodes.length + leaves.length === 0;
}

/**
 * A tree of work that any engine can run. Storage is its only memory: every step is idempotent, may run twice at the
 * same time, and may be asked again by an engine that knows nothing of what was done before.
 *
 * An engine carries `Node`, `Leaf` and `Result` as JSON and hands back what it was handed, so a program that has types of
 * its own for them passes as one of JSON.
 */
export interface TreeProgram<Node extends Json = Json, Leaf extends Json = Json, Result extends Json = Json> {
  /** Resolves when the node may go on, which it asks before each `expand`: at once, unless somebody has paused the run. */
  ready?(node: Node, signal: AbortSignal): Promise<void>;
  /** The next wave of a node's children; an empty one means that the node may be merged. */
  expand(node: Node, settled: readonly Settled<Leaf, Result>[], context: TaskContext): Promise<Wave<Node, Leaf>>;
  /** One chunk of work. */
  leaf(leaf: Leaf, context: TaskContext): Promise<Result>;
  /** Called once all children of the node are done. The root's value is the run's. */
  merge(node: Node, context: TaskContext): Promise<Json>;
  /** The result of a leaf that is done already; undefined while it is not. */
  lookupLeaf(leaf: Leaf): Promise<Result | undefined>;
  /** The run's value when it is complete already; undefined while it is not. */
  lookupRoot(root: Node): Promise<Json | undefined>;
}

export type Programs = Readonly<Record<string, TreeProgram>>;

export type EngineStatus = "running" | "succeeded" | "failed" | "cancelled";

export interface EngineRun {
  readonly id: string;
  /** The root's merge. @throws what failed the run, or ScytheError `cancelled`. */
  result(): Promise<Json>;
  status(): Promise<EngineStatus>;
  /** Asks the run to stop after the specs that run; resolves when it has. */
  cancel(): Promise<void>;
}

export interface StartOptions {
  /** Names the run in the engine's own tools. */
  metadata?: Record<string, string>;
}

export interface Worker {
  /** Takes no new work; finishes or hands back what it has. */
  stop(): Promise<void>;
  /** Resolves when the worker has stopped, for whatever reason. */
  readonly done: Promise<void>;
}

/**
 * Runs tree programs durably. An engine knows nothing of experiments.
 *
 * Contract (checked by `engine.testsuite.ts` against every engine): every planned leaf settles before its node's next
 * `expand`; `merge` runs after the last; a leaf that throws is tried again `LEAF_ATTEMPTS` times in all and then handed
 * to `expand` as an error; `expand` or `merge` that throws fails the run with that error as its cause.
 */
export interface Engine {
  readonly name: string;
  /** Where leaves run: in this very process (breakpoints hit), or apart from it. */
  readonly isolation: "none" | "process";
  /** Leaves that this process itself will run at once; 0 when workers run them. */
  readonly slots: number;
  start(program: string, root: Json, options?: StartOptions): Promise<EngineRun>;
  /** A run that was started before, perhaps by another process. @throws ScytheError `engine` when it cannot be reached */
  attach(id: string): Promise<EngineRun>;
  /** Takes work until stopped. @throws ScytheError `engine` for engines that need no workers */
  serve(): Promise<Worker>;
}

/** Tries of one leaf before its error is handed to `expand`. A spec's own failure never throws: it is a row. */
export const LEAF_ATTEMPTS = 3;

/** Trying again would fail again: the code or the request is wrong, or somebody else has the run. */
export function isFinal(error: unknown): boolean {
  return error instanceof ScytheError && ["invalid_definition", "invalid_input", "conflict"].includes(error.code);
}

/** What a cancelled run throws. */
export function cancelled(): ScytheError {
  return new ScytheError("cancelled", "The run was cancelled.", { hint: "Finished work is kept." });
}

export function isCancelled(error: unknown): boolean {
  return error instanceof ScytheError && error.code === "cancelled";
}

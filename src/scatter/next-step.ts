import type { Settled } from "../engine/engine.ts";
import { isScytheError, ScytheError } from "../errors.ts";
import { fixedWave, type Measured, measuredWave, probeWave, type Wave } from "./chunks.ts";
import type { RecordedWave } from "./plan.ts";
import type { LeafResult, LeafTask } from "./run-task.ts";
import { disjoint, type Range, subtract } from "./tree.ts";

/** The progress of a node that does not split, from storage. */
export interface NodeProgress {
  /** Number of its specs. */
  size: number;
  /** The ranges that have a part; they may overlap. */
  parts: readonly Range[];
  /** The last planned wave. */
  wave: RecordedWave | undefined;
}

/** The node's next step. */
export type NextStep =
  /** Runs the chunks of the planned wave that have no part. */
  | { do: "run"; wave: RecordedWave }
  /** Plans a wave with this number. */
  | { do: "plan"; number: number; wave: Wave }
  /** Every spec has a row in a part. */
  | { do: "merge" };

type SettledLeaf = Settled<LeafTask, LeafResult>;

/**
 * Decides a node's next step. Reads and writes nothing.
 * @param settled how the leaves of the previous wave ended, as far as the engine remembers
 * @throws the error that made every open chunk fail
 */
export function nextStep(
  { size, parts, wave }: NodeProgress,
  settled: readonly SettledLeaf[],
  { chunkSize, slots }: { chunkSize: number | null; slots: number },
): NextStep {
  const open = wave?.ranges.filter((range) => !parts.some((part) => part.from === range.from)) ?? [];
  if (wave && open.length > 0) {
    throwIfAllFailed(open, settled);
    return { do: "run", wave: { ...wave, ranges: open } };
  }
  const todo = subtract({ from: 0, to: size }, disjoint(parts, size));
  if (todo.length === 0) return { do: "merge" };
  return { do: "plan", number: (wave?.number ?? -1) + 1, wave: planWave(todo, measure(settled), chunkSize, slots) };
}

function planWave(
  todo: readonly Range[],
  measured: Measured | undefined,
  chunkSize: number | null,
  slots: number,
): Wave {
  if (chunkSize !== null) return fixedWave(todo, chunkSize);
  return measured ? measuredWave(todo, measured, slots) : probeWave(todo, slots);
}

function measure(settled: readonly SettledLeaf[]): Measured | undefined {
  const results = settled.flatMap((leaf) => ("result" in leaf ? [leaf.result] : []));
  const specs = results.reduce((sum, { from, to }) => sum + to - from, 0);
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  return specs > 0 ? { specs, seconds } : undefined;
}

/** Throws when every open chunk has just failed for a reason other than its specs: retrying would loop for ever. */
function throwIfAllFailed(open: readonly Range[], settled: readonly SettledLeaf[]): void {
  const failures = settled.flatMap((leaf) => ("error" in leaf ? [leaf] : []));
  const allFailed = open.every(({ from }) => failures.some(({ payload }) => payload.from === from));
  if (!allFailed) return;
  const cause = failures[0]!.error;
  if (isScytheError(cause) && cause.code !== "storage" && cause.code !== "internal") throw cause;
  throw new ScytheError("engine", `${failures.length} chunks could not be run: ${cause.message}`, {
    hint: (isScytheError(cause) && cause.hint) || "Finished work is kept: fix the cause, then resume the run.",
    cause,
  });
}

import { ScytheError } from "../errors.ts";
import type { Sensitivity, SensitivityIndex } from "./sensitivity-result.ts";

/** When indices are known well enough. */
export interface UntilOptions {
  /** The half-width that each interval shall have at most. */
  halfWidth: number;
  /** Specs of a base point. */
  rowsPerPoint: number;
  /** Specs that the run may have in all. */
  budget: number;
  /** Whether the design is balanced after 2, 4, 8, … points only: then it is always doubled (default false). */
  powersOfTwo?: boolean;
  /** Which indices count (default: `S1` and `ST`; those of second order are known last, and matter least). */
  indices?: readonly string[];
}

/** The interval that is farthest from its aim. */
export interface WidestIndex {
  output: string;
  index: string;
  input: string;
  with: string | null;
  halfWidth: number;
}

/** Whether the indices are known well enough, and if not, how many points to add. */
export type NextStep =
  | { done: true; why: "reached" | "budget"; widest: WidestIndex }
  | {
      done: false;
      /** Base points to add. */
      points: number;
      widest: WidestIndex;
      /** What its half-width will be about then. */
      expected: number;
      /** Base points that the aim takes in all, as far as one can say now. */
      needed: number;
    };

/** A step at most doubles the run: the intervals that it is planned by are estimates themselves. */
const MOST_GROWTH = 2;

/**
 * What is to be done next until each interval is narrow enough. Half-widths shrink as 1/√n (n the base points that were
 * used), so n · (half-width / aim)² are needed; a step at most doubles the run, and keeps within the budget.
 * @throws ScytheError `invalid_input` when the indices have no intervals, or the aim or the budget is no number that works
 */
export function nextStep(current: Sensitivity, options: UntilOptions): NextStep {
  const { halfWidth, rowsPerPoint, budget, powersOfTwo = false, indices = ["S1", "ST"] } = options;
  checkAim(halfWidth, budget);
  const widest = widestOf(current, indices);
  if (widest.halfWidth <= halfWidth) return { done: true, why: "reached", widest };
  const { planned } = current.outputs.find(({ output }) => output === widest.output)!.blocks;
  // some of the points that are added will be lost, too
  const needed = Math.ceil(planned * (widest.halfWidth / halfWidth) ** 2);
  const affordable = Math.floor(budget / rowsPerPoint);
  const total = powersOfTwo
    ? 2 ** Math.ceil(Math.log2(planned + 1))
    : Math.min(needed, MOST_GROWTH * planned, affordable);
  if (total <= planned || total > affordable) return { done: true, why: "budget", widest };
  const expected = widest.halfWidth * Math.sqrt(planned / total);
  return { done: false, points: total - planned, widest, expected, needed };
}

function checkAim(halfWidth: number, budget: number): void {
  if (!(halfWidth > 0 && Number.isFinite(halfWidth))) {
    throw new ScytheError("invalid_input", `The half-width to reach must be above 0, not ${halfWidth}`, {
      hint: "0.05 is usual: each index is then known to ± 0.05.",
    });
  }
  if (!(budget > 0)) {
    throw new ScytheError("invalid_input", `The budget must be a number of specs above 0, not ${budget}`, {
      hint: "Say how many specs the run may have in all.",
    });
  }
}

function widestOf({ outputs, method }: Sensitivity, wanted: readonly string[]): WidestIndex {
  let widest: WidestIndex | undefined;
  for (const { output, indices } of outputs) {
    for (const own of indices) {
      if (!wanted.includes(own.index) || !hasWidth(own)) continue;
      const { index, input, with: other, halfWidth } = own;
      if (!widest || halfWidth > widest.halfWidth) widest = { output, index, input, with: other, halfWidth };
    }
  }
  if (widest) return widest;
  throw new ScytheError("invalid_input", `Method ${method} gives no intervals of ${wanted.join(" and ")}`, {
    hint: "A run can grow until indices are known that have intervals: those of method sobol or given-data.",
  });
}

function hasWidth(index: SensitivityIndex): index is SensitivityIndex & { halfWidth: number } {
  return index.halfWidth !== null;
}

import { type CompleteBlocks, completeBlocks, pick } from "../blocks.ts";
import type { BootstrapOptions } from "../bootstrap.ts";
import { type AnalysedDesign, blockRows } from "../designs.ts";
import { type InputColumn, isConstant, type Observations, type OutputColumn } from "../observations.ts";
import type { OutputSensitivity, SensitivityIndex, Unit } from "../sensitivity-result.ts";

/** One way to find out which inputs matter. */
export interface Analysis {
  /** The design that a run must have; undefined for one that takes any rows. */
  needs?: AnalysedDesign["kind"];
  /** Whether it looks at the values of the inputs, or the place of a row in the design says all. */
  readsInputs: boolean;
  /** Whether its intervals are by bootstrap. */
  resampled: boolean;
  unit(design: AnalysedDesign | undefined): Unit;
  statement(design: AnalysedDesign | undefined): string;
  /** Names of what the indices are of, where they are not all usable inputs. */
  names?(design: AnalysedDesign | undefined): readonly string[];
  /** Of each output its indices, or why there are none. */
  analyse(outputs: readonly OutputColumn[], context: AnalysisContext): OutputAnswer[];
}

export interface AnalysisContext {
  observations: Observations;
  inputs: readonly InputColumn[];
  design: AnalysedDesign | undefined;
  bootstrap: Required<BootstrapOptions>;
  slices: number | undefined;
}

export type OutputAnswer = OutputSensitivity | Refusal;

export interface Refusal {
  output: string;
  /** A clause that follows the output's name. */
  reason: string;
}

/** The rows of an output's whole blocks, if there are enough of them and they are not all the same. */
export function wholeBlocks(
  output: OutputColumn,
  { observations }: AnalysisContext,
  design: AnalysedDesign,
  least: number,
  unit: Unit,
): (CompleteBlocks & { values: Float64Array }) | Refusal {
  const shape = { rows: blockRows(design), first: design.first ?? 0 };
  const blocks = completeBlocks(observations, output.values, shape);
  const values = pick(output.values, blocks.rows);
  const { used, planned } = blocks.losses;
  if (used < least) {
    const reason = `has ${used} whole ${unit} of ${planned}: too few, ${least} are needed`;
    return { output: output.name, reason };
  }
  if (isConstant(values)) return { output: output.name, reason: "is constant" };
  return { ...blocks, values };
}

/** One kind of index for each of several inputs. */
export function indicesOf(
  index: string,
  inputs: readonly string[],
  values: ArrayLike<number>,
  halfWidths?: ArrayLike<number>,
): SensitivityIndex[] {
  return inputs.map((input, j) => ({
    index,
    input,
    with: null,
    value: numberOrNull(values[j]),
    halfWidth: numberOrNull(halfWidths?.[j]),
  }));
}

export function numberOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

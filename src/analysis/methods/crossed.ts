import { sameRows } from "../blocks.ts";
import { type CrossedDesign, crossedNames } from "../designs.ts";
import type { OutputColumn } from "../observations.ts";
import type { SensitivityIndex } from "../sensitivity-result.ts";
import { pairsOf, type SobolIndices, sobolIndices } from "../sobol-indices.ts";
import {
  type Analysis,
  type AnalysisContext,
  indicesOf,
  numberOrNull,
  type OutputAnswer,
  wholeBlocks,
} from "./analysis.ts";

/** With fewer base points, an index is anybody's guess, and so is its interval. */
const LEAST_BASE_POINTS = 10;

/** Sobol' indices of a run that was made by Saltelli's cross-sampling. */
export const crossedSobol: Analysis = {
  needs: "saltelli",
  readsInputs: false,
  resampled: true,
  unit: () => "base points",
  statement: () =>
    "Sobol' indices from Saltelli's cross-samples, which the run was made for: S1 is the share of the variance that an input explains alone, ST that with all of its interactions.",
  names: (design) => crossedNames(design as CrossedDesign),
  analyse: (outputs, context) => {
    const design = context.design as CrossedDesign;
    const answers: OutputAnswer[] = [];
    const usable: UsableOutput[] = [];
    for (const output of outputs) {
      const blocks = wholeBlocks(output, context, design, LEAST_BASE_POINTS, "base points");
      if ("reason" in blocks) answers.push(blocks);
      else usable.push({ output, ...blocks });
    }
    for (const together of withTheSameRows(usable)) answers.push(...analyseTogether(together, design, context));
    return answers;
  },
};

type UsableOutput = { output: OutputColumn } & Exclude<ReturnType<typeof wholeBlocks>, { reason: string }>;

/** Outputs that lost the same blocks are resampled together. */
function withTheSameRows(outputs: readonly UsableOutput[]): UsableOutput[][] {
  const groups: UsableOutput[][] = [];
  for (const output of outputs) {
    const group = groups.find(([first]) => sameRows(first!.rows, output.rows));
    if (group) group.push(output);
    else groups.push([output]);
  }
  return groups;
}

function analyseTogether(
  outputs: readonly UsableOutput[],
  design: CrossedDesign,
  { bootstrap }: AnalysisContext,
): OutputAnswer[] {
  const names = crossedNames(design);
  const shape = { dimensions: names.length, secondOrder: design.secondOrder };
  const found = sobolIndices(
    outputs.map(({ values }) => values),
    shape,
    bootstrap,
  );
  return outputs.map(({ output, losses }, k) => ({
    output: output.name,
    blocks: losses,
    indices: [
      ...indicesOf("S1", names, found[k]!.first, found[k]!.firstHalfWidth),
      ...indicesOf("ST", names, found[k]!.total, found[k]!.totalHalfWidth),
      ...(design.secondOrder ? secondOrder(names, found[k]!) : []),
    ],
    warnings: [],
  }));
}

function secondOrder(names: readonly string[], { second, secondHalfWidth }: SobolIndices): SensitivityIndex[] {
  return pairsOf(names.length).map(([j, k], p) => ({
    index: "S2",
    input: names[j]!,
    with: names[k]!,
    value: numberOrNull(second[p]),
    halfWidth: numberOrNull(secondHalfWidth[p]),
  }));
}

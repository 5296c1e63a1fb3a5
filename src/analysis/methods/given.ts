import type { AnalysedDesign } from "../designs.ts";
import { givenDataIndex, slicesFor } from "../given-data.ts";
import type { OutputColumn } from "../observations.ts";
import { DEFAULT_PAWN_SLICES, type PawnIndex, pawnIndex, pawnSlices } from "../pawn.ts";
import { ranks, sortedRows } from "../ranks.ts";
import { regressionIndices, regressorsOf } from "../regression.ts";
import type { OutputSensitivity } from "../sensitivity-result.ts";
import { slicesOf } from "../slices.ts";
import { type Analysis, type AnalysisContext, indicesOf, type OutputAnswer } from "./analysis.ts";
import { type Sample, sampleOf, sampleUnit } from "./sample.ts";

const LEAST_ROWS = 20;
/** Below this share of the variance, a linear model says little of what matters. */
const POOR_FIT = 0.7;

/** First-order indices of any run. */
export const givenData: Analysis = {
  readsInputs: true,
  resampled: false,
  unit: sampleUnit,
  statement: (design) =>
    `First-order indices estimated from slices of the rows as they are, as the run ${madeBy(design)}: the share of the variance that an input explains alone. What inputs do together does not show; a run with design saltelli tells it.`,
  analyse: (outputs, context) =>
    ofSamples(outputs, context, LEAST_ROWS, (sample) => {
      const { inputs, output, blockRows } = sample;
      const wanted = context.slices ?? slicesFor(output.length);
      const slices = sample.once("slices", () => inputs.map((input) => slicesOf(input, wanted)));
      const found = slices.map((own) => givenDataIndex(own, output, blockRows, context.bootstrap.confidence));
      const names = inputs.map(({ name }) => name);
      const indices = indicesOf(
        "S1",
        names,
        found.map(({ first }) => first),
        found.map(({ halfWidth }) => halfWidth),
      );
      return { indices, warnings: [] };
    }),
};

/** Standardised coefficients and partial correlations of any run. */
export function regression(onRanks: boolean): Analysis {
  const [coefficient, partial] = onRanks ? ["SRRC", "PRCC"] : ["SRC", "PCC"];
  const what = onRanks ? "ranks of the output on ranks of the inputs" : "the output on the inputs";
  return {
    readsInputs: true,
    resampled: true,
    unit: sampleUnit,
    statement: (design) =>
      `A linear regression of ${what}, from the rows as they are, as the run ${madeBy(design)}: ${coefficient} is the slope in standard deviations, ${partial} the correlation that the other inputs leave.`,
    analyse: (outputs, context) =>
      ofSamples(outputs, context, LEAST_ROWS, (sample) => {
        const { inputs, output, blockRows } = sample;
        const regressors = sample.once("regressors", () => regressorsOf(inputs, onRanks));
        const found = regressionIndices(regressors, onRanks ? ranks(output) : output, {
          ...context.bootstrap,
          blockRows,
        });
        const names = inputs.map(({ name }) => name);
        const indices = [
          ...indicesOf(coefficient!, names, found.coefficients, found.coefficientHalfWidth),
          ...indicesOf(partial!, names, found.partial, found.partialHalfWidth),
        ];
        return { rSquared: found.rSquared, indices, warnings: fitWarnings(found.rSquared, onRanks) };
      }),
  };
}

function fitWarnings(rSquared: number, onRanks: boolean): string[] {
  if (rSquared >= POOR_FIT) return [];
  const percent = Math.round(rSquared * 100);
  const other = onRanks ? "given-data or pawn" : "rank-regression, given-data or pawn";
  return [
    `The regression explains ${percent} % of the variance: its coefficients miss the rest. Compare with ${other}.`,
  ];
}

/** Distances between distributions, of any run. */
export const pawn: Analysis = {
  readsInputs: true,
  resampled: false,
  unit: sampleUnit,
  statement: (design) =>
    `PAWN indices from the rows as they are, as the run ${madeBy(design)}: how far the output's distribution in slices of an input is from the whole. A median below pawn_threshold is no evidence of any effect.`,
  analyse: (outputs, context) => {
    const slices = context.slices ?? DEFAULT_PAWN_SLICES;
    return ofSamples(outputs, context, Math.max(LEAST_ROWS, 5 * slices), (sample) => {
      const { inputs, output } = sample;
      const cut = sample.once("cut", () => inputs.map((input) => pawnSlices(input, slices)));
      const sorted = sortedRows(output);
      const found = cut.map((own) => pawnIndex(own, output, sorted));
      const names = inputs.map(({ name }) => name);
      const indices = (Object.entries(PAWN_NAMES) as [keyof PawnIndex, string][]).flatMap(([field, index]) =>
        indicesOf(
          index,
          names,
          found.map((own) => own[field]),
        ),
      );
      return { indices, warnings: [] };
    });
  },
};

const PAWN_NAMES: Readonly<Record<keyof PawnIndex, string>> = {
  median: "pawn_median",
  mean: "pawn_mean",
  minimum: "pawn_minimum",
  maximum: "pawn_maximum",
  variation: "pawn_cv",
  deviation: "pawn_stdev",
  threshold: "pawn_threshold",
};

function ofSamples(
  outputs: readonly OutputColumn[],
  context: AnalysisContext,
  least: number,
  analyse: (sample: Sample) => Omit<OutputSensitivity, "output" | "blocks">,
): OutputAnswer[] {
  let last: Sample | undefined;
  return outputs.map((output) => {
    const sample = sampleOf(output, context, least, last);
    if ("reason" in sample) return sample;
    last = sample;
    const answer = analyse(sample);
    return { output: output.name, blocks: sample.losses, ...answer };
  });
}

function madeBy(design: AnalysedDesign | undefined): string {
  if (!design) return "was not made with a design that is known";
  if (design.kind === "saltelli") return "was made with design saltelli, of which only independent rows are used";
  if (design.kind === "morris") {
    return "was made with design morris, whose rows depend on one another, so that the estimates are rough";
  }
  return `was made with design ${design.name}`;
}

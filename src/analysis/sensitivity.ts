import { ScytheError } from "../errors.ts";
import { didYouMean } from "../known-keys.ts";
import type { Losses } from "./blocks.ts";
import { type BootstrapOptions, DEFAULT_CONFIDENCE, DEFAULT_RESAMPLES } from "./bootstrap.ts";
import type { AnalysedDesign } from "./designs.ts";
import { SENSITIVITY_METHODS, type SensitivityMethod } from "./method-names.ts";
import type { Analysis, AnalysisContext } from "./methods/analysis.ts";
import { crossedSobol } from "./methods/crossed.ts";
import { givenData, pawn, regression } from "./methods/given.ts";
import { trajectories } from "./methods/trajectories.ts";
import { type InputColumn, isConstant, type Observations, type OutputColumn } from "./observations.ts";
import type { LeftOut, OutputSensitivity, Sensitivity, Unit } from "./sensitivity-result.ts";

/**
 * - `sobol`: first-order, total and second-order indices; the run has to be made by Saltelli's design
 * - `morris`: µ, µ* and σ; the run has to be made by the Morris design
 * - `given-data`: first-order indices from any run
 * - `regression`, `rank-regression`: standardised coefficients and partial correlations from any run
 * - `pawn`: distances between distributions, from any run
 */

const METHODS = {
  sobol: crossedSobol,
  morris: trajectories,
  "given-data": givenData,
  regression: regression(false),
  "rank-regression": regression(true),
  pawn,
} satisfies Record<SensitivityMethod, Analysis>;

/** What `results.sensitivity()` answers, and how. */
export interface SensitivityOptions extends BootstrapOptions {
  /** Default `auto`: the one that the run's design was made for, else `given-data`. */
  method?: SensitivityMethod | "auto";
  /** Names of outputs (default: all that can be analysed). One that is named and cannot be is an error. */
  outputs?: readonly string[];
  /** Slices that each input is cut into by `given-data` (default: √rows) and `pawn` (default: 10). */
  slices?: number;
}

/** More than this share of the blocks lost is said with what it may mean. */
const MANY_LOST = 0.05;

/**
 * Which inputs an experiment's outputs depend on, and how much. Rows of failed specs, and values that are null or not
 * finite, take their whole block of the design with them; nothing is imputed.
 * @param design undefined for a run whose specs came from elsewhere
 * @throws ScytheError `invalid_input` when the method does not fit the design, or no output can be analysed
 */
export function sensitivityOf(
  observations: Observations,
  design: AnalysedDesign | undefined,
  options: SensitivityOptions = {},
): Sensitivity {
  const method = methodFor(design, options.method ?? "auto");
  const analysis: Analysis = METHODS[method];
  const leftOut: LeftOut[] = [];
  const inputs = analysis.readsInputs ? usableInputs(observations, design, leftOut) : [];
  const skipped: LeftOut[] = [];
  const outputs = usableOutputs(observations, options.outputs, skipped);
  const { resamples = DEFAULT_RESAMPLES, confidence = DEFAULT_CONFIDENCE, seed = 0 } = options;
  checkOptions(resamples, confidence);
  const bootstrap = { resamples, confidence, seed };
  const context: AnalysisContext = { observations, inputs, design, bootstrap, slices: options.slices };
  const found = new Map(analysis.analyse(outputs, context).map((answer) => [answer.output, answer]));
  const answers: OutputSensitivity[] = [];
  for (const { name } of outputs) {
    const answer = found.get(name)!;
    if ("reason" in answer) skipped.push({ name, reason: answer.reason });
    else
      answers.push({
        ...answer,
        warnings: [...lossWarnings(answer.blocks, analysis.unit(design)), ...answer.warnings],
      });
  }
  refuseIfNothing(answers, skipped, options.outputs);
  return {
    method,
    kind: analysis.needs === undefined ? "given-data" : "designed",
    design: design ? nameOf(design) : null,
    statement: analysis.statement(design),
    inputs: [...(analysis.names?.(design) ?? inputs.map(({ name }) => name))],
    leftOut,
    confidence,
    resamples: analysis.resampled ? resamples : null,
    seed,
    unit: analysis.unit(design),
    specs: { planned: observations.planned, withResults: observations.positions.length },
    outputs: answers,
    skipped,
  };
}

function methodFor(design: AnalysedDesign | undefined, asked: SensitivityMethod | "auto"): SensitivityMethod {
  if (asked === "auto")
    return design?.kind === "saltelli" ? "sobol" : design?.kind === "morris" ? "morris" : "given-data";
  if (!Object.hasOwn(METHODS, asked)) {
    throw new ScytheError("invalid_input", `There is no method ${asked}${didYouMean(asked, SENSITIVITY_METHODS)}`, {
      hint: `There are: auto, ${SENSITIVITY_METHODS.join(", ")}.`,
    });
  }
  const { needs }: Analysis = METHODS[asked];
  if (needs === undefined || needs === design?.kind) return asked;
  const made = design ? `was made with design ${nameOf(design)}` : "was not made with a design that is known";
  throw new ScytheError("invalid_input", `Method ${asked} needs design ${needs}; the run ${made}`, {
    hint: "Take --method given-data, regression, rank-regression or pawn, which need none; or make a run with that design.",
  });
}

function nameOf(design: AnalysedDesign): string {
  return design.kind === "other" ? design.name : design.kind;
}

function checkOptions(resamples: number, confidence: number): void {
  if (!Number.isInteger(resamples) || resamples < 2 || resamples > 1_000_000) {
    throw new ScytheError("invalid_input", `resamples must be a whole number from 2 to 1,000,000, not ${resamples}`);
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw new ScytheError("invalid_input", `confidence must lie between 0 and 1, not ${confidence}`, {
      hint: "0.95 is usual.",
    });
  }
}

/** The inputs of the design, or else all that vary. */
function usableInputs(
  { inputs, unusable }: Observations,
  design: AnalysedDesign | undefined,
  leftOut: LeftOut[],
): InputColumn[] {
  const missing = unusable.filter(({ role }) => role === "input");
  const usable = (design?.inputs ?? inputs.map(({ name }) => name)).flatMap((name) => {
    const input = inputs.find((candidate) => candidate.name === name);
    if (!input || (design === undefined && isConstant(input.values))) {
      const reason = missing.find((candidate) => candidate.name === name)?.reason;
      leftOut.push({ name, reason: input ? "has the same value in all rows" : (reason ?? "is no column of the run") });
      return [];
    }
    return [input];
  });
  if (!design) leftOut.push(...missing.map(({ name, reason }) => ({ name, reason })));
  return usable;
}

function usableOutputs(
  { outputs, unusable }: Observations,
  asked: readonly string[] | undefined,
  skipped: LeftOut[],
): OutputColumn[] {
  const others = unusable.filter(({ role }) => role === "output");
  if (!asked) {
    skipped.push(...others.map(({ name, reason }) => ({ name, reason })));
    return [...outputs];
  }
  return asked.flatMap((name) => {
    const output = outputs.find((candidate) => candidate.name === name);
    if (output) return [output];
    const reason = others.find((other) => other.name === name)?.reason;
    const names = [...outputs, ...others].map((column) => column.name);
    if (reason === undefined) {
      throw new ScytheError("invalid_input", `The run has no output ${name}${didYouMean(name, names)}`, {
        hint: `Its outputs: ${names.join(", ") || "none"}.`,
      });
    }
    skipped.push({ name, reason });
    return [];
  });
}

/** An output that was asked for must be there; of all outputs, one at least. */
function refuseIfNothing(
  answers: readonly OutputSensitivity[],
  skipped: readonly LeftOut[],
  asked: readonly string[] | undefined,
): void {
  if (skipped.length === 0 && answers.length === 0) {
    throw new ScytheError("invalid_input", "The run has no scalar outputs", { hint: "Only numbers can be analysed." });
  }
  if (answers.length > 0 && !asked) return;
  const [first] = skipped;
  if (!first) return;
  const rest = skipped.length > 1 ? ` (and ${skipped.length - 1} more cannot be analysed)` : "";
  throw new ScytheError("invalid_input", `Output ${first.name} ${first.reason}${rest}`, {
    hint: "Name other outputs, or see with `scythe describe` what this one holds.",
    details: { skipped },
  });
}

function lossWarnings({ planned, used, failed, missing }: Losses, unit: Unit): string[] {
  if (used === planned) return [];
  const why = [];
  if (failed > 0) why.push(`${failed} with specs that failed or are not done`);
  if (missing > 0) why.push(`${missing} without a finite value`);
  const sentence = `${planned - used} of ${planned} ${unit} are left out (${why.join(", ")}); the intervals are those of ${used}.`;
  if (planned - used <= planned * MANY_LOST) return [sentence];
  const advice =
    "The indices speak of the part of the space in which specs succeed: look with `scythe describe` where they fail.";
  return [sentence, advice];
}

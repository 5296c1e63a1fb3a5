import { ScytheError } from "../../errors.ts";
import { toJson } from "../../json.ts";
import { FARTHEST } from "./normal.ts";

/** A value that JSON can hold. */
export type Level = string | number | boolean | null | readonly Level[] | { readonly [key: string]: Level };

/** Every value between two bounds is as likely. */
export interface Uniform {
  kind: "uniform";
  low: number;
  high: number;
}
/** The logarithm is spread evenly between two bounds. */
export interface LogUniform {
  kind: "loguniform";
  low: number;
  high: number;
}
/** The normal distribution. */
export interface Normal {
  kind: "normal";
  mean: number;
  sd: number;
}
/** The normal distribution between two bounds. */
export interface TruncatedNormal {
  kind: "truncnormal";
  mean: number;
  sd: number;
  low: number;
  high: number;
}
/** Rises to the mode and falls to the upper bound. */
export interface Triangular {
  kind: "triangular";
  low: number;
  mode: number;
  high: number;
}
/** The beta distribution, stretched to two bounds. */
export interface Beta {
  kind: "beta";
  alpha: number;
  beta: number;
  low: number;
  high: number;
}
/** Values of a list, with weights if given. */
export interface Discrete {
  kind: "discrete";
  values: readonly Level[];
  /** One a value, their sum 1; absent: equal shares. */
  weights?: readonly number[];
}
/** One value. */
export interface Fixed {
  kind: "fixed";
  value: Level;
}
/** Files of a list, each as likely. */
export interface Files {
  kind: "files";
  paths: readonly string[];
}

/** How the values of one field are spread: plain data, which JSON and a short text (`distribution-text.ts`) can hold. */
export type Distribution =
  | Uniform
  | LogUniform
  | Normal
  | TruncatedNormal
  | Triangular
  | Beta
  | Discrete
  | Fixed
  | Files;

/** Those of numbers of a range. */
export type Continuous = Uniform | LogUniform | Normal | TruncatedNormal | Triangular | Beta;

/** Evenly spread from `low` to `high`. @throws ScytheError `invalid_input` unless low < high */
export function uniform(low: number, high: number): Uniform {
  const what = `uniform(${low}, ${high})`;
  checkRange(what, low, high);
  return { kind: "uniform", low: low + 0, high: high + 0 };
}

/** Its logarithm evenly spread: each factor of ten equally likely. @throws ScytheError `invalid_input` unless 0 < low < high */
export function loguniform(low: number, high: number): LogUniform {
  const what = `loguniform(${low}, ${high})`;
  checkRange(what, low, high);
  if (low <= 0) throw invalid(`${what}: a logarithm needs numbers above 0`, "Begin above 0, or use uniform.");
  return { kind: "loguniform", low, high };
}

/** Normal, without bounds. Of a field that has some, it becomes a truncated one. */
export function normal(mean: number, sd: number): Normal {
  const what = `normal(${mean}, ${sd})`;
  checkFinite(what, mean, sd);
  checkAbove(what, "the standard deviation", sd);
  return { kind: "normal", mean: mean + 0, sd };
}

/** Normal, what lies outside the bounds left out. `mean` and `sd` are those before that. */
export function truncatedNormal(mean: number, sd: number, low: number, high: number): TruncatedNormal {
  const what = `truncatedNormal(${mean}, ${sd}, ${low}, ${high})`;
  checkFinite(what, mean, sd);
  checkAbove(what, "the standard deviation", sd);
  checkRange(what, low, high);
  if ((low - mean) / sd > FARTHEST || (high - mean) / sd < -FARTHEST) {
    throw invalid(
      `${what}: the bounds lie more than ${FARTHEST} standard deviations from the mean`,
      "Change the bounds.",
    );
  }
  return { kind: "truncnormal", mean: mean + 0, sd, low: low + 0, high: high + 0 };
}

/** Density rising evenly from `low` to `mode` and falling evenly to `high`. */
export function triangular(low: number, mode: number, high: number): Triangular {
  const what = `triangular(${low}, ${mode}, ${high})`;
  checkRange(what, low, high);
  checkFinite(what, mode);
  if (mode < low || mode > high) throw invalid(`${what}: the mode lies outside the bounds`, "Write low, mode, high.");
  return { kind: "triangular", low: low + 0, mode: mode + 0, high: high + 0 };
}

/** Beta distributed between `low` and `high` (default 0 and 1). */
export function beta(alpha: number, betaShape: number, low = 0, high = 1): Beta {
  const what = `beta(${alpha}, ${betaShape}, ${low}, ${high})`;
  checkFinite(what, alpha, betaShape);
  checkAbove(what, "a shape", Math.min(alpha, betaShape));
  checkRange(what, low, high);
  return { kind: "beta", alpha, beta: betaShape, low: low + 0, high: high + 0 };
}

/** How far weights may be from a sum of 1: written with six digits, they are near enough. */
const WEIGHT_ERROR = 1e-6;

/**
 * One of some values: equally likely, or with weights that sum to 1.
 * @param values a list, or an object of weights by name
 */
export function discrete(
  values: readonly Level[] | Readonly<Record<string, number>>,
  weights?: readonly number[],
): Discrete {
  if (!Array.isArray(values)) {
    const entries = Object.entries(values as Readonly<Record<string, number>>);
    return discrete(
      entries.map(([name]) => name),
      entries.map(([, weight]) => weight),
    );
  }
  const what = `discrete of ${values.length} values`;
  if (values.length === 0) throw invalid("discrete without values", "Name at least one.");
  const texts = values.map((value) => toJson(value));
  const twice = texts.find((text, i) => texts.indexOf(text) !== i);
  if (twice !== undefined) throw invalid(`${what}: ${twice} is there twice`, "Give it one larger weight instead.");
  for (const value of values) checkLevel(value);
  if (weights === undefined) return { kind: "discrete", values: [...values] };
  if (weights.length !== values.length) {
    throw invalid(`${what} with ${weights.length} weights`, "Give each value one weight, or none at all.");
  }
  for (const weight of weights) checkAbove(what, "a weight", weight);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (!(Math.abs(sum - 1) <= WEIGHT_ERROR)) {
    const shares = weights.map((weight) => Number((weight / sum).toPrecision(6)));
    throw invalid(
      `${what}: the weights sum to ${Number(sum.toPrecision(6))}, not to 1`,
      `In these proportions: ${shares.join(", ")}.`,
    );
  }
  return { kind: "discrete", values: [...values], weights: [...weights] };
}

/** The same value in every spec. */
export function fixed(value: Level): Fixed {
  checkLevel(value);
  return { kind: "fixed", value: typeof value === "number" ? value + 0 : value };
}

/** One of some files, by path or URL, equally likely. */
export function files(paths: readonly string[]): Files {
  if (paths.length === 0) throw invalid("files without paths", "Name at least one.");
  const wrong = paths.find((path) => typeof path !== "string" || path === "");
  if (wrong !== undefined) throw invalid(`files: ${toJson(wrong)} is no path`, "Give texts.");
  if (new Set(paths).size < paths.length) throw invalid("files: a path is there twice", "Name each once.");
  return { kind: "files", paths: [...paths] };
}

export function isContinuous(distribution: Distribution): distribution is Continuous {
  return !["discrete", "fixed", "files"].includes(distribution.kind);
}

function checkLevel(value: unknown): void {
  const text = typeof value === "number" && !Number.isFinite(value) ? undefined : toJson(value);
  if (text === undefined)
    throw invalid(`${String(value)} is no value that JSON can hold`, "Use finite numbers and texts.");
}

function checkRange(what: string, low: number, high: number): void {
  checkFinite(what, low, high);
  if (low < high) return;
  if (low === high) throw invalid(`${what}: there is nothing between its bounds`, `For one value, write fixed:${low}.`);
  throw invalid(`${what}: the lower bound is above the upper one`, "Write the lower bound first.");
}

function checkFinite(what: string, ...values: unknown[]): void {
  for (const value of values) {
    if (typeof value === "number" && Number.isFinite(value)) continue;
    throw invalid(
      `${what}: ${typeof value === "string" ? toJson(value) : value} is no finite number`,
      "Give finite numbers.",
    );
  }
}

function checkAbove(what: string, which: string, value: number): void {
  if (value > 0 && Number.isFinite(value)) return;
  throw invalid(`${what}: ${which} must be a finite number above 0`, "Change it.");
}

function invalid(problem: string, hint: string): ScytheError {
  return new ScytheError("invalid_input", problem, { hint });
}

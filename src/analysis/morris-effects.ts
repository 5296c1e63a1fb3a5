import { ScytheError } from "../errors.ts";
import { type BootstrapOptions, DEFAULT_RESAMPLES, halfWidths, resampledSums, TILE } from "./bootstrap.ts";

export interface MorrisIndices {
  /** Mean of the elementary effects. */
  mu: Float64Array;
  /** Mean of their sizes: how much an input matters. */
  muStar: Float64Array;
  /** Standard deviation of the effects: how far an input interacts or is not linear. */
  sigma: Float64Array;
  muHalfWidth: Float64Array;
  muStarHalfWidth: Float64Array;
  sigmaHalfWidth: Float64Array;
}

/**
 * The elementary effects of each input, one a trajectory: what the output changes by when the input rises by its step,
 * divided by the step (Morris, Technometrics 33, 1991). Effects are in units of the output for the whole range.
 * @param inputs columns of whole trajectories, each of one row more than there are inputs
 * @param step as a share of the input's range, for each or for all
 * @throws ScytheError `invalid_input` when a row does not differ from the one before in one input alone
 */
export function elementaryEffects(
  inputs: readonly Float64Array[],
  output: Float64Array,
  step: number | readonly number[],
): Float64Array[] {
  const rows = inputs.length + 1;
  const steps = typeof step === "number" ? inputs.map(() => step) : step;
  const effects = inputs.map(() => new Float64Array(output.length / rows));
  for (let trajectory = 0; trajectory * rows < output.length; trajectory++) {
    const moved = new Array<boolean>(inputs.length).fill(false);
    const still: number[] = [];
    for (let row = trajectory * rows + 1; row < (trajectory + 1) * rows; row++) {
      const movers = inputs.flatMap((column, j) => (column[row] === column[row - 1] ? [] : [j]));
      if (movers.length > 1 || (movers.length === 1 && moved[movers[0]!])) throw noTrajectory(trajectory);
      const [j] = movers;
      if (j === undefined) still.push(row);
      else {
        moved[j] = true;
        const up = inputs[j]![row]! > inputs[j]![row - 1]!;
        effects[j]![trajectory] = ((up ? 1 : -1) * (output[row]! - output[row - 1]!)) / steps[j]!;
      }
    }
    // an input of few levels may move without a change of its value: there is one, or else nobody knows which
    if (still.length > 1) throw noTrajectory(trajectory);
    if (still.length === 1) {
      const j = moved.indexOf(false);
      effects[j]![trajectory] = (output[still[0]!]! - output[still[0]! - 1]!) / steps[j]!;
    }
  }
  return effects;
}

function noTrajectory(trajectory: number): ScytheError {
  const problem = `The rows of trajectory ${trajectory + 1} do not change one input after the other`;
  return new ScytheError("invalid_input", problem, {
    hint: "The specs are not those of the Morris design, or several of its fields have too few levels. --method given-data takes any specs.",
  });
}

/**
 * µ, σ (Morris 1991) and µ* (Campolongo, Cariboni & Saltelli, Environ. Model. Softw. 22, 2007) with bootstrap intervals
 * over trajectories.
 * @param effects by input, each with one effect a trajectory
 */
export function morrisIndices(effects: readonly Float64Array[], options: BootstrapOptions = {}): MorrisIndices {
  const trajectories = effects[0]?.length ?? 0;
  const d = effects.length;
  const fill = (into: Float64Array, from: number, to: number) => {
    for (let i = 0; i < to - from; i++) {
      into[i] = 1;
      for (let j = 0; j < d; j++) {
        const effect = effects[j]![from + i]!;
        into[(1 + j) * TILE + i] = effect;
        into[(1 + d + j) * TILE + i] = Math.abs(effect);
        into[(1 + 2 * d + j) * TILE + i] = effect * effect;
      }
    }
  };
  const count = 1 + 3 * d;
  const [sums] = resampledSums(trajectories, [{ count, fill }], options);
  const { resamples = DEFAULT_RESAMPLES, confidence } = options;
  const estimates = Array.from({ length: resamples + 1 }, (_, r) => indicesFrom(sums!.subarray(r * count), d));
  const own = estimates[0]!;
  for (let j = 0; j < d; j++) own[2 * d + j] = deviation(effects[j]!, own[j]!);
  const widths = halfWidths(estimates.slice(1), confidence);
  const part = (from: Float64Array, k: number) => from.slice(k * d, (k + 1) * d);
  return {
    mu: part(own, 0),
    muStar: part(own, 1),
    sigma: part(own, 2),
    muHalfWidth: part(widths, 0),
    muStarHalfWidth: part(widths, 1),
    sigmaHalfWidth: part(widths, 2),
  };
}

/** µ, µ* and σ of each input from the sums of a resample. */
function indicesFrom(sums: Float64Array, d: number): Float64Array {
  const n = sums[0]!;
  const result = new Float64Array(3 * d);
  for (let j = 0; j < d; j++) {
    const mean = sums[1 + j]! / n;
    result[j] = mean;
    result[d + j] = sums[1 + d + j]! / n;
    result[2 * d + j] = Math.sqrt(Math.max(0, sums[1 + 2 * d + j]! / n - mean * mean) * (n / (n - 1)));
  }
  return result;
}

/** Of the sample itself in two passes: the difference of large sums would lose digits. */
function deviation(values: Float64Array, mean: number): number {
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

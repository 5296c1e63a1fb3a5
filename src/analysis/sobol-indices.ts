import { ScytheError } from "../errors.ts";
import { type BootstrapOptions, DEFAULT_RESAMPLES, halfWidths, resampledSums, TILE } from "./bootstrap.ts";
import { crossedRows } from "./designs.ts";

export interface SobolIndices {
  /** Share of the variance that an input explains alone. */
  first: Float64Array;
  /** Share that is lost when an input is known no more: alone and with others. */
  total: Float64Array;
  /** Share that two inputs explain together beyond what each does alone, in the order of {@link pairsOf}; empty without. */
  second: Float64Array;
  /** Half of the width of each interval. */
  firstHalfWidth: Float64Array;
  totalHalfWidth: Float64Array;
  secondHalfWidth: Float64Array;
}

export interface SobolShape {
  /** Inputs, or groups of inputs that vary together. */
  dimensions: number;
  /** Whether each block has the rows ba(1) … ba(d). */
  secondOrder: boolean;
}

/** (0, 1), (0, 2), …, (d − 2, d − 1). */
export function pairsOf(dimensions: number): [number, number][] {
  const pairs: [number, number][] = [];
  for (let j = 0; j < dimensions; j++) {
    for (let k = j + 1; k < dimensions; k++) pairs.push([j, k]);
  }
  return pairs;
}

/**
 * Sobol' indices from Saltelli's cross-samples, with bootstrap intervals over base points.
 *
 * - first order: mean(b · (ab(i) − a)) / V: Saltelli et al., Comput. Phys. Commun. 181, 2010, table 2 (b)
 * - total: mean((a − ab(i))²) / 2V: Jansen, Comput. Phys. Commun. 117, 1999
 * - second order: mean(ba(i) · ab(j) − a · b) / V − S(i) − S(j): Saltelli, Comput. Phys. Commun. 145, 2002
 *
 * V is the variance of all a and b. As in SALib, outputs are first brought to mean 0 and standard deviation 1 (over all
 * of their rows), which lowers the error (Sobol' et al., Reliab. Eng. Syst. Saf. 92, 2007); the same sample gives the same
 * indices.
 * @param outputs each with the rows of whole blocks: a, ab(1) … ab(d), [ba(1) … ba(d),] b, for one base point after the
 *   other; all have the same base points and are resampled together
 * @throws ScytheError `invalid_input` for an output that is constant or has no whole blocks
 */
export function sobolIndices(
  outputs: readonly Float64Array[],
  shape: SobolShape,
  options: BootstrapOptions = {},
): SobolIndices[] {
  const rows = crossedRows(shape.dimensions, shape.secondOrder);
  const blocks = (outputs[0]?.length ?? 0) / rows;
  for (const output of outputs) {
    if (Number.isInteger(blocks) && blocks > 0 && output.length === blocks * rows) continue;
    throw new ScytheError("invalid_input", `${output.length} rows are no whole number of blocks of ${rows}`, {
      hint: "A block has d + 2 rows, or 2 d + 2 with those for second order.",
    });
  }
  const sums = resampledSums(
    blocks,
    outputs.map((output) => statisticsOf(standardised(output), shape, rows)),
    options,
  );
  const { resamples = DEFAULT_RESAMPLES, confidence } = options;
  return sums.map((matrix) => {
    const count = statisticsCount(shape);
    const estimates = Array.from({ length: resamples + 1 }, (_, r) =>
      indicesFrom(matrix.subarray(r * count, (r + 1) * count), shape),
    );
    const widths = halfWidths(estimates.slice(1), confidence);
    const d = shape.dimensions;
    const own = estimates[0]!;
    return {
      first: own.slice(0, d),
      total: own.slice(d, 2 * d),
      second: own.slice(2 * d),
      firstHalfWidth: widths.slice(0, d),
      totalHalfWidth: widths.slice(d, 2 * d),
      secondHalfWidth: widths.slice(2 * d),
    };
  });
}

/** @throws ScytheError `invalid_input` for a constant */
function standardised(values: Float64Array): Float64Array {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let variance = 0;
  for (const value of values) variance += (value - mean) ** 2 / values.length;
  const deviation = Math.sqrt(variance);
  if (!(deviation > 0) || !Number.isFinite(deviation)) {
    throw new ScytheError("invalid_input", deviation === 0 ? "The output is constant" : "The output is not finite");
  }
  return values.map((value) => (value - mean) / deviation);
}

/** Of a block: 1, a + b, a² + b², a · b; then for each input b · (ab − a) and (a − ab)²; then for each pair ba · ab. */
function statisticsCount({ dimensions, secondOrder }: SobolShape): number {
  return 4 + 2 * dimensions + (secondOrder ? (dimensions * (dimensions - 1)) / 2 : 0);
}

function statisticsOf(y: Float64Array, shape: SobolShape, rows: number) {
  const { dimensions: d, secondOrder } = shape;
  const pairs = secondOrder ? pairsOf(d) : [];
  const fill = (into: Float64Array, from: number, to: number) => {
    for (let i = 0; i < to - from; i++) {
      const at = (from + i) * rows;
      const a = y[at]!;
      const b = y[at + rows - 1]!;
      into[i] = 1;
      into[TILE + i] = a + b;
      into[2 * TILE + i] = a * a + b * b;
      into[3 * TILE + i] = a * b;
      for (let j = 0; j < d; j++) {
        const away = y[at + 1 + j]! - a;
        into[(4 + j) * TILE + i] = b * away;
        into[(4 + d + j) * TILE + i] = away * away;
      }
    }
    for (let p = 0; p < pairs.length; p++) {
      const [j, k] = pairs[p]!;
      const offset = (4 + 2 * d + p) * TILE;
      let at = from * rows;
      for (let i = 0; i < to - from; i++, at += rows) into[offset + i] = y[at + 1 + d + j]! * y[at + 1 + k]!;
    }
  };
  return { count: statisticsCount(shape), fill };
}

/** First order, total and second order from the sums of a resample. */
function indicesFrom(sums: Float64Array, { dimensions: d, secondOrder }: SobolShape): Float64Array {
  const n = sums[0]!;
  const mean = sums[1]! / (2 * n);
  const variance = sums[2]! / (2 * n) - mean * mean;
  const pairs = secondOrder ? pairsOf(d) : [];
  const result = new Float64Array(2 * d + pairs.length);
  for (let j = 0; j < d; j++) {
    result[j] = sums[4 + j]! / n / variance;
    result[d + j] = sums[4 + d + j]! / n / (2 * variance);
  }
  for (const [p, [j, k]] of pairs.entries()) {
    const joint = (sums[4 + 2 * d + p]! - sums[3]!) / n / variance;
    result[2 * d + p] = joint - result[j]! - result[k]!;
  }
  return result;
}

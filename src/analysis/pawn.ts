import type { InputColumn } from "./observations.ts";
import { quantile } from "./ranks.ts";
import { type Slices, slicesOf } from "./slices.ts";

/** Of the distances between the output's distribution in each slice of an input and its distribution over all rows. */
export interface PawnIndex {
  minimum: number;
  mean: number;
  median: number;
  maximum: number;
  /** Coefficient of variation: `deviation / mean`. */
  variation: number;
  deviation: number;
  /** What the median of an input that does nothing stays below in 95 % of single slices: no evidence of any effect. */
  threshold: number;
}

export const DEFAULT_PAWN_SLICES = 10;

/**
 * PAWN (Pianosi & Wagener, Environ. Model. Softw. 67, 2015; 108, 2018): Kolmogorov–Smirnov distances between the output
 * within slices of an input and over all rows.
 * @param cut {@link pawnSlices} of the input
 * @param sortedOutput the rows in the order of their outputs
 */
export function pawnIndex(cut: Slices, output: Float64Array, sortedOutput: Uint32Array): PawnIndex {
  const sizes = new Float64Array(cut.count);
  for (const slice of cut.of) if (slice >= 0) sizes[slice]!++;
  const used = [...sizes.keys()].filter((slice) => sizes[slice]! > 0);
  const largest = distances(cut, sizes, output, sortedOutput);
  const found = Float64Array.from(used, (slice) => largest[slice]!).sort();
  const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
  const deviation = Math.sqrt(found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / found.length);
  const usual = quantile(Float64Array.from(used, (slice) => sizes[slice]!).sort(), 0.5);
  return {
    minimum: found[0]!,
    mean,
    median: quantile(found, 0.5),
    maximum: found[found.length - 1]!,
    variation: deviation / mean,
    deviation,
    threshold: criticalDistance(usual, output.length),
  };
}

/**
 * SALib's slices: between quantiles of the input, each without its upper end, so that the row with the highest value is in
 * none. An input of levels has a slice for each.
 */
export function pawnSlices(input: InputColumn, slices = DEFAULT_PAWN_SLICES): Slices {
  return input.levels ? slicesOf(input, slices) : quantileSlices(input.values, slices);
}

/** Rows from one quantile up to the next; −1 for rows that are in no slice. */
function quantileSlices(values: Float64Array, count: number): Slices {
  const sorted = values.slice().sort();
  const step = 1 / count;
  const edges = Float64Array.from({ length: count + 1 }, (_, s) => quantile(sorted, Math.min(1, s * step)));
  const of = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    let slice = count - 1;
    while (slice >= 0 && !(values[i]! >= edges[slice]! && values[i]! < edges[slice + 1]!)) slice--;
    of[i] = slice;
  }
  return { of, count };
}

/** The largest difference between the distribution of each slice and that of all rows. */
function distances(cut: Slices, sizes: Float64Array, output: Float64Array, sorted: Uint32Array): Float64Array {
  const largest = new Float64Array(cut.count);
  const below = new Float64Array(cut.count);
  const n = sorted.length;
  for (let i = 0; i < n; i++) {
    const slice = cut.of[sorted[i]!]!;
    if (slice >= 0) below[slice]!++;
    if (i + 1 < n && output[sorted[i + 1]!] === output[sorted[i]!]) continue;
    const whole = (i + 1) / n;
    for (let s = 0; s < cut.count; s++) {
      const distance = Math.abs(below[s]! / sizes[s]! - whole);
      if (distance > largest[s]!) largest[s] = distance;
    }
  }
  return largest;
}

/**
 * 5 % critical value of the Kolmogorov–Smirnov distance between a slice of `m` rows and the whole of `n` rows that it is
 * part of: that between slice and rest, times the share of the rest.
 */
function criticalDistance(m: number, n: number): number {
  return 1.358 * Math.sqrt((n - m) / (n * m));
}

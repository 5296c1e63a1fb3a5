import { normalQuantile } from "../sampling/space/normal.ts";
import { DEFAULT_CONFIDENCE } from "./bootstrap.ts";
import type { Slices } from "./slices.ts";

export interface GivenDataIndex {
  /** First-order Sobol' index, as far as a sample that was not made for it tells. */
  first: number;
  halfWidth: number;
}

const MOST_SLICES = 100;
const ROWS_PER_SLICE = 5;

/** How many slices a sample is cut into: as many as each has rows, in reason. */
export function slicesFor(rows: number): number {
  return Math.max(2, Math.min(MOST_SLICES, Math.round(Math.sqrt(rows)), Math.floor(rows / ROWS_PER_SLICE)));
}

/**
 * First-order index from any sample: the variance of the means of slices, as a share of the whole (the correlation ratio;
 * Plischke, Borgonovo & Smith, Eur. J. Oper. Res. 226, 2013; Li & Mahadevan, Reliab. Eng. Syst. Saf. 153, 2016). What the
 * noise of the means adds is taken off (Kelley's ε², PNAS 21, 1935), so that an input that does nothing has 0 on average,
 * and may come out just below.
 *
 * The interval is that of the estimate's influence function (Da Veiga & Gamboa, J. Nonparametr. Stat. 25, 2013), summed
 * over rows that belong together.
 * @param blockRows rows of a block: those of one block are not independent (default 1)
 */
export function givenDataIndex(
  slices: Slices,
  output: Float64Array,
  blockRows = 1,
  confidence = DEFAULT_CONFIDENCE,
): GivenDataIndex {
  const n = output.length;
  const mean = meanOf(output);
  const rows = new Float64Array(slices.count);
  const shifts = new Float64Array(slices.count);
  let variance = 0;
  for (let i = 0; i < n; i++) {
    rows[slices.of[i]!]!++;
    shifts[slices.of[i]!]! += output[i]! - mean;
    variance += (output[i]! - mean) ** 2 / n;
  }
  let between = 0;
  for (let s = 0; s < slices.count; s++) {
    shifts[s]! /= rows[s]!;
    between += (rows[s]! * shifts[s]! ** 2) / n;
  }
  const ratio = between / variance;
  let squares = 0;
  for (let from = 0; from < n; from += blockRows) {
    let influence = 0;
    for (let i = from; i < Math.min(n, from + blockRows); i++) {
      const away = output[i]! - mean;
      const shift = shifts[slices.of[i]!]!;
      influence += (2 * away * shift - shift * shift - ratio * away * away) / variance;
    }
    squares += influence * influence;
  }
  return {
    first: 1 - ((1 - ratio) * (n - 1)) / (n - slices.count),
    halfWidth: (normalQuantile(0.5 + confidence / 2) * Math.sqrt(squares)) / n,
  };
}

function meanOf(values: Float64Array): number {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  return mean;
}

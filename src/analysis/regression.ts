import { ScytheError } from "../errors.ts";
import { type BootstrapOptions, DEFAULT_RESAMPLES, halfWidths, resampledSums, TILE } from "./bootstrap.ts";
import type { InputColumn } from "./observations.ts";
import { ranks } from "./ranks.ts";

export interface RegressionIndices {
  /** Standardised regression coefficients, NaN for an input of levels without order. */
  coefficients: Float64Array;
  /** Partial correlation: what an input explains of what the others leave. */
  partial: Float64Array;
  coefficientHalfWidth: Float64Array;
  partialHalfWidth: Float64Array;
  /** Share of the output's variance that the linear model explains: what the coefficients are worth. */
  rSquared: number;
}

export interface RegressionOptions extends BootstrapOptions {
  /** Rows of a block: those of one block are drawn together (default 1). */
  blockRows?: number;
}

/** Rows are resampled in at most so many groups: the interval's own error is then 2 %. */
const MOST_GROUPS = 1000;
/** A column of which less than this share is not explained by the others is no column of its own. */
const INDEPENDENT = 1e-10;

/**
 * Standardised (rank) regression coefficients and partial (rank) correlations of all inputs at once: Saltelli, Chan &
 * Scott, Sensitivity Analysis, 2000, ch. 6; on ranks (SRRC, PRCC) by Iman & Conover, Technometrics 21, 1979, for relations
 * that rise or fall without being straight. Intervals are by bootstrap.
 * @param regressors {@link regressorsOf} the inputs; on ranks when the output is of ranks, too
 * @throws ScytheError `invalid_input` when inputs depend on one another, or rows are fewer than coefficients
 */
export function regressionIndices(
  { names, columns, of }: Regressors,
  output: Float64Array,
  options: RegressionOptions = {},
): RegressionIndices {
  const { blockRows = 1, resamples = DEFAULT_RESAMPLES, confidence } = options;
  if (output.length < columns.length + 2) {
    throw new ScytheError("invalid_input", `${output.length} rows are too few for ${columns.length} coefficients`, {
      hint: "Run more specs, or vary fewer inputs.",
    });
  }
  const scaled = [...columns, standardised(output)];
  const count = 1 + scaled.length + (scaled.length * (scaled.length + 1)) / 2;
  const [sums] = resampledSums(...groupedProducts(scaled, count, blockRows), options);
  const fits = Array.from({ length: resamples + 1 }, (_, r) =>
    regress(sums!.subarray(r * count, (r + 1) * count), columns.length),
  );
  const own = fits[0]!;
  if (own.dependent !== undefined) throw dependent(names[of[own.dependent]!]!);
  const widths = halfWidths(
    fits.slice(1).map(({ values }) => values),
    confidence,
  );
  const ofInputs = (values: Float64Array, from: number) =>
    Float64Array.from(names, (_, j) => {
      const mine = [...of.keys()].filter((column) => of[column] === j);
      return mine.length === 1 ? values[from + mine[0]!]! : Number.NaN;
    });
  return {
    coefficients: ofInputs(own.values, 0),
    partial: ofInputs(own.values, columns.length),
    coefficientHalfWidth: ofInputs(widths, 0),
    partialHalfWidth: ofInputs(widths, columns.length),
    rSquared: own.rSquared,
  };
}

function dependent(name: string): ScytheError {
  return new ScytheError("invalid_input", `Input ${name} follows from the other inputs, or is constant`, {
    hint: `Leave it out: a regression cannot tell what it does by itself. --method given-data takes any inputs.`,
    details: { input: name },
  });
}

/** The columns of a linear model, standardised. */
export interface Regressors {
  /** Of the inputs. */
  names: string[];
  columns: Float64Array[];
  /** Number of the input that a column belongs to. */
  of: number[];
}

/**
 * An input of more than two levels has no slope. It takes part as one column for each level but the first, so that the
 * other inputs' coefficients are those beside it.
 */
export function regressorsOf(inputs: readonly InputColumn[], onRanks = false): Regressors {
  const columns: Float64Array[] = [];
  const of: number[] = [];
  for (const [j, { values, levels }] of inputs.entries()) {
    const used = levels ? [...new Set(values)].sort((a, b) => a - b) : [];
    const own = used.length > 2 ? used.slice(1).map((level) => values.map((v) => (v === level ? 1 : 0))) : [values];
    columns.push(...own.map((column) => standardised(onRanks ? ranks(column) : column)));
    of.push(...own.map(() => j));
  }
  return { names: inputs.map(({ name }) => name), columns, of };
}

/** Mean 0, standard deviation 1; a constant becomes zeros. */
function standardised(values: Float64Array): Float64Array {
  const n = values.length;
  let mean = 0;
  for (const value of values) mean += value / n;
  let variance = 0;
  for (const value of values) variance += (value - mean) ** 2 / n;
  const scale = variance > 0 ? 1 / Math.sqrt(variance) : 0;
  return values.map((value) => (value - mean) * scale);
}

/** Sums of 1, of each column and of each product of two, over groups of rows. */
function groupedProducts(columns: readonly Float64Array[], count: number, blockRows: number) {
  const rows = columns[0]!.length;
  const blocks = Math.ceil(rows / blockRows);
  const groups = Math.min(MOST_GROUPS, blocks);
  const sums = new Float64Array(groups * count);
  for (let row = 0; row < rows; row++) {
    let at = (Math.floor(row / blockRows) % groups) * count;
    sums[at++]!++;
    for (let i = 0; i < columns.length; i++) {
      const value = columns[i]![row]!;
      sums[at++]! += value;
      for (let j = 0; j <= i; j++) sums[at++]! += value * columns[j]![row]!;
    }
  }
  const fill = (into: Float64Array, from: number, to: number) => {
    for (let g = from; g < to; g++) {
      for (let s = 0; s < count; s++) into[s * TILE + g - from] = sums[g * count + s]!;
    }
  };
  return [groups, [{ count, fill }]] as const;
}

interface Fit {
  /** Coefficients, then partial correlations. */
  values: Float64Array;
  rSquared: number;
  /** The column that the ones before it determine. */
  dependent?: number;
}

/**
 * The regression of the last column on the others, from sums: coefficients β = R⁻¹ r, R² = r · β, and the partial
 * correlation β(j) / √(β(j)² + R⁻¹(j, j) (1 − R²)).
 */
function regress(sums: Float64Array, d: number): Fit {
  const correlations = correlationsFrom(sums, d + 1);
  const values = new Float64Array(2 * d).fill(Number.NaN);
  const inverse = inverseOf(correlations, d);
  if (typeof inverse === "number") return { values, rSquared: Number.NaN, dependent: inverse };
  let rSquared = 0;
  for (let j = 0; j < d; j++) {
    let beta = 0;
    for (let k = 0; k < d; k++) beta += inverse[j * d + k]! * correlations[d * (d + 1) + k]!;
    values[j] = beta;
    rSquared += beta * correlations[d * (d + 1) + j]!;
  }
  const rest = Math.max(0, 1 - rSquared);
  for (let j = 0; j < d; j++) {
    const length = Math.sqrt(values[j]! ** 2 + inverse[j * d + j]! * rest);
    values[d + j] = length > 0 ? values[j]! / length : 0;
  }
  return { values, rSquared };
}

/** Correlations of all columns, row by row; of a constant, 0. */
function correlationsFrom(sums: Float64Array, columns: number): Float64Array {
  const n = sums[0]!;
  const means = new Float64Array(columns);
  const products = new Float64Array(columns * columns);
  for (let i = 0, at = 1; i < columns; i++) {
    means[i] = sums[at++]! / n;
    for (let j = 0; j <= i; j++) products[i * columns + j] = sums[at++]! / n - means[i]! * means[j]!;
  }
  const scales = means.map((_, i) => {
    const variance = products[i * columns + i]!;
    return variance > INDEPENDENT ? 1 / Math.sqrt(variance) : 0;
  });
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j <= i; j++) {
      const correlation = products[i * columns + j]! * scales[i]! * scales[j]!;
      products[i * columns + j] = correlation;
      products[j * columns + i] = correlation;
    }
  }
  return products;
}

/** The inverse of the first `d` rows and columns by Cholesky; the number of a column that the ones before it determine. */
function inverseOf(correlations: Float64Array, d: number): Float64Array | number {
  const lower = factorOf(correlations, d);
  if (typeof lower === "number") return lower;
  const inverse = new Float64Array(d * d);
  const column = new Float64Array(d);
  for (let c = 0; c < d; c++) {
    for (let i = 0; i < d; i++) {
      let rest = i === c ? 1 : 0;
      for (let k = 0; k < i; k++) rest -= lower[i * d + k]! * column[k]!;
      column[i] = rest / lower[i * d + i]!;
    }
    for (let i = d - 1; i >= 0; i--) {
      let rest = column[i]!;
      for (let k = i + 1; k < d; k++) rest -= lower[k * d + i]! * column[k]!;
      column[i] = rest / lower[i * d + i]!;
      inverse[i * d + c] = column[i]!;
    }
  }
  return inverse;
}

/** The lower triangle whose product with its transpose the matrix is. */
function factorOf(correlations: Float64Array, d: number): Float64Array | number {
  const lower = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = correlations[i * (d + 1) + j]!;
      for (let k = 0; k < j; k++) rest -= lower[i * d + k]! * lower[j * d + k]!;
      if (i === j && rest < INDEPENDENT) return i;
      lower[i * d + j] = i === j ? Math.sqrt(rest) : rest / lower[j * d + j]!;
    }
  }
  return lower;
}

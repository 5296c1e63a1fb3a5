import { randomFrom } from "../sampling/random.ts";
import { normalQuantile } from "../sampling/space/normal.ts";

/** How intervals are made. */
export interface BootstrapOptions {
  /** How often the sample is drawn again from itself (default 1,000). */
  resamples?: number;
  /** Probability with which an interval holds the true value (default 0.95). */
  confidence?: number;
  /** The same seed gives the same intervals (default 0). */
  seed?: number;
}

export const DEFAULT_RESAMPLES = 1000;
export const DEFAULT_CONFIDENCE = 0.95;

/** Writes statistic s of unit `from + i` to `into[s * TILE + i]`, for the units `from` … `to` − 1. */
export type FillTile = (into: Float64Array, from: number, to: number) => void;

/** A quantity whose value is a function of sums over units (base points, trajectories, groups of rows). */
export interface SummedStatistics {
  /** How many statistics a unit has. */
  count: number;
  fill: FillTile;
}

/** Units whose statistics are in memory at once. */
export const TILE = 256;
/** Resamples whose counts are in memory at once. */
const BAND = 64;
/** Streams of random numbers beyond those that specs draw from. */
const FIRST_STREAM = 2 ** 51;

/**
 * The bootstrap (Efron, Ann. Statist. 7, 1979): units are drawn with replacement, and what is asked for is computed
 * from each resample. As only sums count, a resample is how often each unit was drawn, and all of them together are a
 * product of two matrices, made tile by tile.
 * @param all those that are drawn together, say of one output each
 * @returns for each of `all` a matrix by rows: row 0 has the sums over the sample itself, row r those over resample r
 */
export function resampledSums(
  units: number,
  all: readonly SummedStatistics[],
  options: Pick<BootstrapOptions, "resamples" | "seed"> = {},
): Float64Array[] {
  const { resamples = DEFAULT_RESAMPLES, seed = 0 } = options;
  const padded = all.map(({ count }) => Math.ceil(count / 4) * 4);
  const tiles = padded.map((count) => new Float64Array(count * TILE));
  const weights = new Float64Array(BAND * TILE);
  const counts = new Uint16Array(Math.min(BAND, resamples + 1) * units);
  const sums = padded.map((count) => new Float64Array((resamples + 2) * count));
  for (let first = 0; first <= resamples; first += BAND) {
    const band = Math.min(BAND, resamples + 1 - first);
    for (let r = 0; r < band; r++) {
      const row = counts.subarray(r * units, (r + 1) * units);
      if (first + r === 0) row.fill(1);
      else drawInto(row, seed, first + r);
    }
    for (let from = 0; from < units; from += TILE) {
      const to = Math.min(from + TILE, units);
      spread(weights, counts, units, band, from, to);
      for (let k = 0; k < all.length; k++) {
        all[k]!.fill(tiles[k]!, from, to);
        addProducts(sums[k]!, tiles[k]!, weights, { first, band, length: to - from, statistics: padded[k]! });
      }
    }
  }
  return sums.map((matrix, k) => unpadded(matrix, resamples + 1, padded[k]!, all[k]!.count));
}

/** How often each unit is drawn when as many are drawn as there are. */
function drawInto(counts: Uint16Array, seed: number, resample: number): void {
  counts.fill(0);
  const random = randomFrom(seed, FIRST_STREAM + resample);
  const share = counts.length / 2 ** 32;
  // sfc32 (Doty-Humphrey 2010) in local variables: a draw is two nanoseconds
  let a = random.integer(0, 2 ** 32 - 1) | 0;
  let b = random.integer(0, 2 ** 32 - 1) | 0;
  let c = random.integer(0, 2 ** 32 - 1) | 0;
  for (let i = 0, counter = 1; i < counts.length; i++, counter++) {
    const drawn = (a + b + counter) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + drawn) | 0;
    counts[Math.floor((drawn >>> 0) * share)]!++;
  }
}

/** A tile of counts as numbers; an odd number of resamples gets a row of zeros. */
function spread(
  weights: Float64Array,
  counts: Uint16Array,
  units: number,
  band: number,
  from: number,
  to: number,
): void {
  for (let r = 0; r < band; r++) {
    weights.set(counts.subarray(r * units + from, r * units + to), r * TILE);
  }
  if (band % 2 === 1) weights.fill(0, band * TILE, (band + 1) * TILE);
}

interface ProductShape {
  /** The first resample of the band. */
  first: number;
  band: number;
  /** Units in the tile. */
  length: number;
  statistics: number;
}

/** sums += weights × tileᵀ; two resamples and four statistics at a time keep all of it in registers. */
function addProducts(sums: Float64Array, tile: Float64Array, weights: Float64Array, shape: ProductShape): void {
  const { first, band, length, statistics } = shape;
  for (let r = 0; r < band; r += 2) {
    const w0 = r * TILE;
    const w1 = w0 + TILE;
    for (let s = 0; s < statistics; s += 4) {
      const p0 = s * TILE;
      const p1 = p0 + TILE;
      const p2 = p1 + TILE;
      const p3 = p2 + TILE;
      let a0 = 0;
      let a1 = 0;
      let a2 = 0;
      let a3 = 0;
      let b0 = 0;
      let b1 = 0;
      let b2 = 0;
      let b3 = 0;
      for (let i = 0; i < length; i++) {
        const x = weights[w0 + i]!;
        const y = weights[w1 + i]!;
        const q0 = tile[p0 + i]!;
        const q1 = tile[p1 + i]!;
        const q2 = tile[p2 + i]!;
        const q3 = tile[p3 + i]!;
        a0 += x * q0;
        a1 += x * q1;
        a2 += x * q2;
        a3 += x * q3;
        b0 += y * q0;
        b1 += y * q1;
        b2 += y * q2;
        b3 += y * q3;
      }
      const at = (first + r) * statistics + s;
      sums[at]! += a0;
      sums[at + 1]! += a1;
      sums[at + 2]! += a2;
      sums[at + 3]! += a3;
      const next = at + statistics;
      sums[next]! += b0;
      sums[next + 1]! += b1;
      sums[next + 2]! += b2;
      sums[next + 3]! += b3;
    }
  }
}

function unpadded(matrix: Float64Array, rows: number, padded: number, count: number): Float64Array {
  const result = new Float64Array(rows * count);
  for (let r = 0; r < rows; r++) result.set(matrix.subarray(r * padded, r * padded + count), r * count);
  return result;
}

/**
 * Half of the width of each index's interval: the normal quantile times the standard deviation over the resamples, as
 * SALib has it. Resamples in which an index has no value (all of their outputs the same) do not count.
 * @param estimates `estimates[r]` has the indices of resample r
 */
export function halfWidths(estimates: readonly Float64Array[], confidence = DEFAULT_CONFIDENCE): Float64Array {
  const z = normalQuantile(0.5 + confidence / 2);
  const count = estimates[0]?.length ?? 0;
  return Float64Array.from({ length: count }, (_, k) => {
    let [n, mean, squares] = [0, 0, 0];
    for (const { [k]: value } of estimates) {
      if (value === undefined || !Number.isFinite(value)) continue;
      n++;
      const away = value - mean;
      mean += away / n;
      squares += away * (value - mean);
    }
    return n < 2 ? Number.NaN : z * Math.sqrt(squares / (n - 1));
  });
}

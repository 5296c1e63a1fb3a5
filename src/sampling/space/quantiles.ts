import { betaQuantile } from "./beta.ts";
import type { Continuous, Triangular } from "./distributions.ts";
import { insideUnit, normalQuantile, truncatedNormalQuantile } from "./normal.ts";

/**
 * The number that a share `u` of a distribution lies below: its inverse distribution function. For any u in [0, 1], the ends
 * included, the result is finite and within the distribution's bounds.
 */
export function quantileOf(distribution: Continuous): (u: number) => number {
  const quantile = unclampedQuantile(distribution);
  if (distribution.kind === "normal") return quantile;
  const { low, high } = distribution;
  return (u) => (u <= 0 ? low : u >= 1 ? high : Math.min(Math.max(quantile(u), low), high));
}

/** As {@link quantileOf}, of many shares at once, in their own array: a loop without calls for the commonest distribution. */
export function quantilesOf(distribution: Continuous): (shares: Float64Array) => Float64Array {
  const { kind } = distribution;
  if (kind !== "uniform" || !Number.isFinite(distribution.high - distribution.low)) {
    const quantile = quantileOf(distribution);
    return (shares) => replaced(shares, quantile);
  }
  const { low, high } = distribution;
  const width = high - low;
  return (shares) => {
    for (let i = 0; i < shares.length; i++) {
      const u = shares[i]!;
      const value = low + u * width;
      shares[i] = u <= 0 || value < low ? low : u >= 1 || value >= high ? high : value;
    }
    return shares;
  };
}

/** The array, each number replaced by what a function makes of it. */
export function replaced(numbers: Float64Array, by: (number: number) => number): Float64Array {
  for (let i = 0; i < numbers.length; i++) numbers[i] = by(numbers[i]!);
  return numbers;
}

/** For u between 0 and 1. */
function unclampedQuantile(distribution: Continuous): (u: number) => number {
  switch (distribution.kind) {
    case "uniform":
      return between(distribution.low, distribution.high);
    case "loguniform": {
      const { low, high } = distribution;
      const logRatio = Math.log(high) - Math.log(low);
      return (u) => low * Math.exp(u * logRatio);
    }
    case "normal": {
      const { mean, sd } = distribution;
      return (u) => mean + sd * normalQuantile(insideUnit(u));
    }
    case "truncnormal": {
      const { mean, sd, low, high } = distribution;
      const standard = truncatedNormalQuantile((low - mean) / sd, (high - mean) / sd);
      return (u) => mean + sd * standard(u);
    }
    case "triangular":
      return triangularQuantile(distribution);
    case "beta": {
      const standard = betaQuantile(distribution.alpha, distribution.beta);
      const scaled = between(distribution.low, distribution.high);
      return (u) => scaled(standard(u));
    }
  }
}

/** Bounds so far apart that their difference is infinite are weighed one by one. */
function between(low: number, high: number): (u: number) => number {
  const width = high - low;
  return Number.isFinite(width) ? (u) => low + u * width : (u) => low * (1 - u) + high * u;
}

function triangularQuantile({ low, mode, high }: Triangular): (u: number) => number {
  const width = high - low;
  const atMode = (mode - low) / width;
  // each side ends at the mode, also where it lies so near to a bound that differences cancel
  return (u) =>
    u < atMode
      ? Math.min(mode, low + width * Math.sqrt(u * atMode))
      : Math.max(mode, high - width * Math.sqrt((1 - u) * (1 - atMode)));
}

/** The next double above a number. */
export function nextAbove(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  if (value === 0) return Number.MIN_VALUE;
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return view.getFloat64(0);
}

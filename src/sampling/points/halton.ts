import type { Random } from "../random.ts";
import { streamsFor } from "../streams.ts";
import { checkDimensions, checkRange, LONGEST_SEQUENCE, type PointSet } from "./point-set.ts";

/** Beyond, the bases are so large that a sequence is worse than random points for any number of points. */
export const HALTON_DIMENSIONS = 1111;

/** How a Halton sequence is made random. */
export interface HaltonOptions {
  /** Whole number from 0 to 2^53 − 1 (default 0); without effect when nothing is scrambled. */
  seed?: number;
  /** `owen` (default): every digit of every base by a random permutation of its own. */
  scramble?: "owen" | "none";
}

/**
 * The Halton sequence (Halton 1960): coordinate j is the radical inverse of the position in the j-th prime; scrambled as by
 * Owen, "A randomized Halton algorithm in R" (2017). Unscrambled, its points are those of SciPy's `qmc.Halton`, to the last
 * bit. Can be continued by any number of points.
 */
export function halton(dimensions: number, { seed = 0, scramble = "owen" }: HaltonOptions = {}): PointSet {
  checkDimensions(dimensions, HALTON_DIMENSIONS, "a Halton design");
  const streams = streamsFor(seed, "halton");
  const bases = primes(dimensions);
  const tables = scramble === "none" ? undefined : bases.map((base, j) => permutationsOf(base, streams(j)));
  return {
    dimensions,
    size: LONGEST_SEQUENCE,
    fill(columns, first) {
      checkRange(this, first, columns[0]?.length ?? 0);
      for (const [j, column] of columns.entries()) {
        if (tables) scrambledInverses(column, first, bases[j]!, tables[j]!);
        else inverses(column, first, bases[j]!);
      }
    },
  };
}

function inverses(column: Float64Array, first: number, base: number): void {
  for (let i = 0; i < column.length; i++) {
    let value = 0;
    let weight = 1 / base;
    for (let rest = first + i; rest > 0; weight /= base) {
      const quotient = Math.floor(rest / base);
      value += (rest - quotient * base) * weight;
      rest = quotient;
    }
    column[i] = value;
  }
}

/** Permutations of the digits 0 … base − 1, one after the other, one for each digit that a double can hold. */
function permutationsOf(base: number, random: Random): Uint16Array {
  let places = 0;
  for (let weight = 1; 1 - weight / base < 1; weight /= base) places++;
  const permutations = new Uint16Array(places * base);
  for (let place = 0; place < places; place++) {
    const digits = permutations.subarray(place * base, (place + 1) * base);
    for (let i = 0; i < base; i++) {
      const j = random.integer(0, i);
      digits[i] = digits[j]!;
      digits[j] = i;
    }
  }
  return permutations;
}

const BELOW_ONE = 1 - 2 ** -53;

/** Leading zeros are permuted, too: their sum is the same for all positions of as many digits, and is looked up. */
function scrambledInverses(column: Float64Array, first: number, base: number, permutations: Uint16Array): void {
  const places = permutations.length / base;
  const weights = new Float64Array(places + 1).fill(1 / base);
  for (let place = 1; place <= places; place++) weights[place] = weights[place - 1]! / base;
  const zeros = new Float64Array(places + 1);
  for (let place = places - 1; place >= 0; place--) {
    zeros[place] = zeros[place + 1]! + permutations[place * base]! * weights[place]!;
  }
  for (let i = 0; i < column.length; i++) {
    let value = 0;
    let place = 0;
    for (let rest = first + i; rest > 0 && place < places; place++) {
      const quotient = Math.floor(rest / base);
      value += permutations[place * base + rest - quotient * base]! * weights[place]!;
      rest = quotient;
    }
    column[i] = Math.min(value + zeros[place]!, BELOW_ONE);
  }
}

/** The first primes. */
function primes(count: number): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++) {
    if (found.every((prime) => prime * prime > candidate || candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}

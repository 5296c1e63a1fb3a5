import { bits32, streamsFor } from "../streams.ts";
import { checkDimensions, checkRange, LONGEST_SEQUENCE, type PointSet } from "./point-set.ts";
import { directionNumbers, SOBOL_DIMENSIONS } from "./sobol-directions.ts";

/**
 * `owen`: nested uniform scrambling, which keeps the net property, makes every point uniform and lowers the error of
 * smooth integrands. `shift`: a random digital shift, cheaper. `none`: the sequence as it is, beginning at the origin.
 */
export type SobolScramble = "owen" | "shift" | "none";

/** How a Sobol' sequence is made random. */
export interface SobolOptions {
  /** Whole number from 0 to 2^53 − 1 (default 0); without effect when nothing is scrambled. */
  seed?: number;
  /** Default `owen`. */
  scramble?: SobolScramble;
}

/** What one dimension does with the 32 digits of a coordinate, given and taken in reversed order: lowest bit first. */
type Scrambler = (reversed: number) => number;

/**
 * The Sobol' sequence (Sobol' 1967) in the Gray code order of Antonov & Saleev (1979), with the direction numbers of Joe &
 * Kuo (2008): 2^32 points in up to 1,111 dimensions. Unscrambled, its points are those of SciPy's `qmc.Sobol`, to the last
 * bit. Scrambled points lie in the middles of cells of side 2^-32, so never on a bound. Can be continued; well balanced
 * after each power of two.
 */
export function sobol(dimensions: number, { seed = 0, scramble = "owen" }: SobolOptions = {}): PointSet {
  checkDimensions(dimensions, SOBOL_DIMENSIONS, "a Sobol' design");
  const streams = streamsFor(seed, "sobol");
  const fillers = Array.from({ length: dimensions }, (_, j) => {
    const numbers = directionNumbers(j);
    if (scramble === "none") return coordinates(numbers);
    if (scramble === "shift") return coordinates(numbers, bits32(streams(j)));
    return owenCoordinates(numbers, owenScrambler(streams(j)));
  });
  return {
    dimensions,
    size: LONGEST_SEQUENCE,
    fill(columns, first) {
      checkRange(this, first, columns[0]?.length ?? 0);
      for (const [j, column] of columns.entries()) fillers[j]!(column, first);
    },
  };
}

type Filler = (column: Float64Array, first: number) => void;

/** Coordinates as they are, or shifted: every digit is changed in all points or in none. */
function coordinates(numbers: Int32Array, shift?: number): Filler {
  const offset = shift === undefined ? 0 : 0.5;
  return (column, first) => {
    let digits = pointDigits(numbers, first) ^ (shift ?? 0);
    const last = column.length - 1;
    for (let i = 0; i < last; i++) {
      column[i] = ((digits >>> 0) + offset) * 2 ** -32;
      digits ^= numbers[trailingZeros(first + i + 1)]!;
    }
    if (last >= 0) column[last] = ((digits >>> 0) + offset) * 2 ** -32;
  };
}

function owenCoordinates(numbers: Int32Array, scrambled: Scrambler): Filler {
  const reversed = numbers.map(reverseBits); // a walk in reversed digits saves half of the reversals
  return (column, first) => {
    let digits = pointDigits(reversed, first);
    const last = column.length - 1;
    for (let i = 0; i < last; i++) {
      column[i] = ((reverseBits(scrambled(digits)) >>> 0) + 0.5) * 2 ** -32;
      digits ^= reversed[trailingZeros(first + i + 1)]!;
    }
    if (last >= 0) column[last] = ((reverseBits(scrambled(digits)) >>> 0) + 0.5) * 2 ** -32;
  };
}

/** The digits of the point at a position, in Gray code order. */
function pointDigits(numbers: Int32Array, position: number): number {
  let digits = 0;
  const gray = (position ^ (position >>> 1)) >>> 0;
  for (let bit = 0; bit < 32; bit++) if ((gray >>> bit) & 1) digits ^= numbers[bit]!;
  return digits;
}

/** Of a whole number below 2^32; 32 bits say all. */
function trailingZeros(value: number): number {
  const bits = value | 0;
  return 31 - Math.clz32(bits & -bits);
}

/**
 * Nested uniform scrambling (Owen 1995) by a hash (Laine & Karras, Comput. Graph. Forum 30, 2011): in reversed order,
 * addition of a constant, and x ^= x · even, change each bit by a function of lower bits alone, that is of the digits before
 * it. The constants are random, so that a digit is changed for half of all seeds, whatever the digits before it are.
 */
function owenScrambler(random: Parameters<typeof bits32>[0]): Scrambler {
  const even = () => bits32(random) & ~1;
  const [a0, a1, a2, a3] = [bits32(random), bits32(random), bits32(random), bits32(random)] as const;
  const [e0, e1, e2, e3] = [even(), even(), even(), even()] as const;
  const odd = bits32(random) | 1;
  return (reversed) => {
    let x = (reversed + a0) | 0;
    x ^= Math.imul(x, e0);
    x = (x + a1) | 0;
    x ^= Math.imul(x, e1);
    x = Math.imul(x, odd);
    x = (x + a2) | 0;
    x ^= Math.imul(x, e2);
    x = (x + a3) | 0;
    return x ^ Math.imul(x, e3);
  };
}

function reverseBits(value: number): number {
  let x = ((value >>> 1) & 0x55555555) | ((value & 0x55555555) << 1);
  x = ((x >>> 2) & 0x33333333) | ((x & 0x33333333) << 2);
  x = ((x >>> 4) & 0x0f0f0f0f) | ((x & 0x0f0f0f0f) << 4);
  x = ((x >>> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8);
  return (x >>> 16) | (x << 16);
}

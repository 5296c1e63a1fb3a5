import type { Random } from "../random.ts";
import { pairFactor, pointFactor } from "./discrepancy.ts";

/** What exchanges in a Latin hypercube improve. */
export type LatinCriterion = "discrepancy" | "maximin";

/** Every pair of points has a number in memory. */
export const MOST_OPTIMISED = 4000;

/** A sum over all pairs of points that is to become small, and what an exchange would change in it. */
interface PairSum {
  /** What it would gain if rows `a` and `b` exchanged their coordinates of a column. */
  change(column: Float64Array, a: number, b: number): number;
  /** Makes the exchange that was asked for last. */
  exchange(column: Float64Array, a: number, b: number): void;
}

/** Exchanges that are tried for each coordinate, within limits that keep it below some seconds. */
const TRIES_A_COORDINATE = 25;
const MOST_WORK = 4e8;
const LEAST_TRIES = 2000;

/** Exchanges looked at before the first one is made, to see how large a change is. */
const PROBES = 50;

/**
 * Improves a Latin hypercube in place by exchanging coordinates within columns, which keeps all of its margins: threshold
 * accepting (Dueck & Scheuer, J. Comput. Phys. 90, 1990), as Jin, Chen & Sudjianto (J. Stat. Plan. Inference 134, 2005) use it
 * for designs. The allowed worsening falls to zero in steps that depend on the number of tries alone. Only sums, products
 * and quotients are used: the same seed gives the same design on every machine.
 */
export function exchangeOptimised(columns: Float64Array[], criterion: LatinCriterion, random: Random): void {
  const points = columns[0]!.length;
  if (points < 2 || columns.length < 2) return; // rows that change places change nothing
  const sum = criterion === "discrepancy" ? discrepancySum(columns) : distanceSum(columns);
  const wanted = TRIES_A_COORDINATE * points * columns.length;
  const tries = Math.max(LEAST_TRIES, Math.min(wanted, Math.floor(MOST_WORK / points)));
  let typical = 0;
  for (let i = 0; i < PROBES; i++) {
    const { column, a, b } = anyExchange(columns, random);
    typical += Math.abs(sum.change(column, a, b)) / PROBES;
  }
  for (let i = 0; i < tries; i++) {
    const { column, a, b } = anyExchange(columns, random);
    const left = 1 - i / (0.9 * tries); // the last tenth only improves
    const allowed = left > 0 ? FIRST_SHARE * typical * left * left * left : 0;
    if (sum.change(column, a, b) < allowed * random()) sum.exchange(column, a, b);
  }
}

/** Of a typical change, the share that an exchange may worsen at the start. */
const FIRST_SHARE = 0.2;

function anyExchange(columns: Float64Array[], random: Random): { column: Float64Array; a: number; b: number } {
  const column = columns[random.integer(0, columns.length - 1)]!;
  const a = random.integer(0, column.length - 1);
  const other = random.integer(0, column.length - 2);
  return { column, a, b: other < a ? other : other + 1 };
}

/** The part of the squared centred discrepancy that exchanges change, by the products of all pairs. */
function discrepancySum(columns: readonly Float64Array[]): PairSum {
  const n = columns[0]!.length;
  const pairs = new Float64Array(n * n); // the diagonal holds a point's pair with itself
  const singles = new Float64Array(n).fill(1);
  for (let i = 0; i < n; i++) {
    for (const column of columns) singles[i]! *= pointFactor(column[i]! - 0.5);
    for (let j = 0; j <= i; j++) {
      let product = 1;
      for (const column of columns) product *= pairFactor(column[i]! - 0.5, column[j]! - 0.5);
      pairs[i * n + j] = product;
      pairs[j * n + i] = product;
    }
  }
  const ratios = new Float64Array(n);
  return {
    change(column, a, b) {
      const y = column[a]! - 0.5;
      const z = column[b]! - 0.5;
      let sum = 0;
      for (let j = 0; j < n; j++) {
        const x = column[j]! - 0.5;
        const ratio = pairFactor(z, x) / pairFactor(y, x);
        ratios[j] = ratio;
        if (j !== a && j !== b) sum += pairs[a * n + j]! * (ratio - 1) + pairs[b * n + j]! * (1 / ratio - 1);
      }
      const own = (1 + Math.abs(z)) / (1 + Math.abs(y));
      const diagonal = pairs[a * n + a]! * (own - 1) + pairs[b * n + b]! * (1 / own - 1);
      const single = pointFactor(z) / pointFactor(y);
      const points = singles[a]! * (single - 1) + singles[b]! * (1 / single - 1);
      return (2 * sum + diagonal) / (n * n) - (2 * points) / n;
    },
    exchange(column, a, b) {
      const y = column[a]!;
      const z = column[b]!;
      const own = (1 + Math.abs(z - 0.5)) / (1 + Math.abs(y - 0.5));
      const single = pointFactor(z - 0.5) / pointFactor(y - 0.5);
      for (let j = 0; j < n; j++) {
        if (j === a || j === b) continue;
        pairs[a * n + j]! *= ratios[j]!;
        pairs[b * n + j]! /= ratios[j]!;
        pairs[j * n + a] = pairs[a * n + j]!;
        pairs[j * n + b] = pairs[b * n + j]!;
      }
      pairs[a * n + a]! *= own;
      pairs[b * n + b]! /= own;
      singles[a]! *= single;
      singles[b]! /= single;
      column[a] = z;
      column[b] = y;
    },
  };
}

/** Σ 1/distance^16 over all pairs, which the nearest ones rule (Morris & Mitchell, J. Stat. Plan. Inference 43, 1995). */
function distanceSum(columns: readonly Float64Array[]): PairSum {
  const n = columns[0]!.length;
  const squares = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let square = 0;
      for (const column of columns) square += (column[i]! - column[j]!) ** 2;
      squares[i * n + j] = square;
      squares[j * n + i] = square;
    }
  }
  return {
    change(column, a, b) {
      const y = column[a]!;
      const z = column[b]!;
      let sum = 0;
      for (let j = 0; j < n; j++) {
        if (j === a || j === b) continue;
        const x = column[j]!;
        const moved = (z - x) * (z - x) - (y - x) * (y - x);
        const [ofA, ofB] = [squares[a * n + j]!, squares[b * n + j]!];
        sum += repulsion(ofA + moved) - repulsion(ofA) + repulsion(ofB - moved) - repulsion(ofB);
      }
      return sum;
    },
    exchange(column, a, b) {
      const y = column[a]!;
      const z = column[b]!;
      for (let j = 0; j < n; j++) {
        if (j === a || j === b) continue;
        const x = column[j]!;
        const moved = (z - x) * (z - x) - (y - x) * (y - x);
        squares[a * n + j]! += moved;
        squares[b * n + j]! -= moved;
        squares[j * n + a] = squares[a * n + j]!;
        squares[j * n + b] = squares[b * n + j]!;
      }
      column[a] = z;
      column[b] = y;
    },
  };
}

/** The eighth power of 1/square. */
function repulsion(square: number): number {
  const first = 1 / Math.max(square, 1e-30); // rounding may take the distance of equal points below zero
  const second = first * first;
  const fourth = second * second;
  return fourth * fourth;
}

import { ScytheError } from "../../errors.ts";
import { streamsFor } from "../streams.ts";
import { checkWhole } from "../whole-number.ts";
import { exchangeOptimised, type LatinCriterion, MOST_OPTIMISED } from "./latin-exchange.ts";
import { randomPermutation } from "./permutation.ts";
import { checkDimensions, emptyColumns, LONGEST_SEQUENCE, type PointSet } from "./point-set.ts";
import { randomPoints } from "./random-points.ts";

/** How a Latin hypercube is made. */
export interface LatinHypercubeOptions {
  /** Whole number from 0 to 2^53 − 1 (default 0). */
  seed?: number;
  /** Points in the middles of their strata (default: anywhere in them). */
  centred?: boolean;
  /**
   * Which points share a row: at random (`none`, the default), or exchanged until the centred discrepancy is small
   * (`discrepancy`), or until near points are far apart (`maximin`). At most 4,000 points can be optimised: it needs
   * memory for every pair.
   */
  optimise?: LatinCriterion | "none";
}

/**
 * A Latin hypercube (McKay, Beckman & Conover, Technometrics 21, 1979): of n points, each margin has one in every stratum
 * [k/n, (k + 1)/n). Its size is part of it: it cannot be continued.
 */
export function latinHypercube(points: number, dimensions: number, options: LatinHypercubeOptions = {}): PointSet {
  const { optimise = "none", seed = 0 } = options;
  checkWhole(points, 1, LONGEST_SEQUENCE, "The number of points of a Latin hypercube");
  checkDimensions(dimensions, 100_000, "a Latin hypercube");
  const plain = plainLatin(points, dimensions, seed, options.centred ?? false);
  if (optimise === "none") return plain;
  if (points > MOST_OPTIMISED) {
    throw new ScytheError("invalid_input", `A Latin hypercube of ${points} points is too large to be optimised`, {
      hint: `Ask for at most ${MOST_OPTIMISED} points, for one that is not optimised (optimise: "none"), or for a Sobol' design.`,
    });
  }
  let optimised: Float64Array[] | undefined;
  return {
    dimensions,
    size: points,
    fill(columns, first) {
      optimised ??= optimisedColumns(plain, optimise, seed);
      for (const [j, column] of columns.entries()) {
        column.set(optimised[j]!.subarray(first, first + column.length));
      }
    },
  };
}

function plainLatin(points: number, dimensions: number, seed: number, centred: boolean): PointSet {
  const streams = streamsFor(seed, "latin");
  const permutations = Array.from({ length: dimensions }, (_, j) => randomPermutation(points, streams(j)));
  const within = randomPoints(dimensions, { seed });
  return {
    dimensions,
    size: points,
    fill(columns, first) {
      if (!centred) within.fill(columns, first);
      for (const [j, column] of columns.entries()) {
        const strata = permutations[j]!;
        for (let i = 0; i < column.length; i++) {
          column[i] = inStratum(strata(first + i), centred ? 0.5 : column[i]!, points);
        }
      }
    },
  };
}

/** A number of stratum k of n, also after rounding. */
function inStratum(k: number, share: number, n: number): number {
  const value = (k + share) / n;
  return Math.floor(value * n) === k ? value : (k + 0.5) / n;
}

function optimisedColumns(plain: PointSet, criterion: LatinCriterion, seed: number): Float64Array[] {
  const columns = emptyColumns(plain.dimensions, plain.size);
  plain.fill(columns, 0);
  exchangeOptimised(columns, criterion, streamsFor(seed, "exchange")(0));
  return columns;
}

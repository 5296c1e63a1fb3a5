import { streamsFor } from "../streams.ts";
import { checkDimensions, LONGEST_SEQUENCE, type PointSet } from "./point-set.ts";

/** Points that share a stream: to begin in the middle, fewer numbers than this are drawn for nothing. */
const BLOCK = 256;

/** How random points are drawn. */
export interface RandomPointsOptions {
  /** Whole number from 0 to 2^53 − 1 (default 0). */
  seed?: number;
}

/** Independent uniform points, in [0, 1): plain Monte Carlo. Can be continued. */
export function randomPoints(dimensions: number, { seed = 0 }: RandomPointsOptions = {}): PointSet {
  checkDimensions(dimensions, 100_000, "random points");
  const streams = streamsFor(seed, "points");
  return {
    dimensions,
    size: LONGEST_SEQUENCE,
    fill(columns, first) {
      for (let j = 0; j < dimensions; j++) {
        const column = columns[j]!;
        for (let block = Math.floor(first / BLOCK); block * BLOCK < first + column.length; block++) {
          const random = streams(block * dimensions + j);
          const end = Math.min((block + 1) * BLOCK, first + column.length);
          for (let i = block * BLOCK; i < end; i++) {
            const value = random();
            if (i >= first) column[i - first] = value;
          }
        }
      }
    },
  };
}

import { ScytheError } from "../../errors.ts";
import { checkWhole } from "../whole-number.ts";

/**
 * Points of the unit cube, each known from its position alone. So they take constant memory, and parts of any size, made
 * in any order and on any machine, equal the whole.
 */
export interface PointSet {
  readonly dimensions: number;
  /** How many points there are; of a sequence that can be continued, the most that it can have. */
  readonly size: number;
  /** Writes points `first`, `first + 1`, …: `columns[j][i]` becomes coordinate j, in [0, 1], of point `first + i`. */
  fill(columns: readonly Float64Array[], first: number): void;
}

/** Consecutive points: `columns[j][i]` is coordinate j of point `first + i`. */
export interface PointBatch {
  first: number;
  columns: Float64Array[];
}

/** Which points of a set. */
export interface PointRange {
  /** Position of the first point (default 0). */
  skip?: number;
  /** How many points (default: all that follow). */
  take?: number;
  /** Points of a batch (default 4,096): it changes nothing but how much memory is in use. */
  batch?: number;
}

/** A sequence has at most this many points. */
export const LONGEST_SEQUENCE = 2 ** 32;

/** The points of a range, batch by batch, in arrays of their own. @throws ScytheError `invalid_input` beyond the end */
export function* pointBatches(points: PointSet, range: PointRange = {}): Generator<PointBatch> {
  const { skip = 0, batch = 4096 } = range;
  checkWhole(skip, 0, points.size, "skip");
  const { take = points.size - skip } = range;
  checkWhole(batch, 1, 2 ** 30, "batch");
  checkRange(points, skip, take);
  for (let first = skip; first < skip + take; first += batch) {
    const columns = emptyColumns(points.dimensions, Math.min(batch, skip + take - first));
    points.fill(columns, first);
    yield { first, columns };
  }
}

/** Columns of zeros, one a dimension. */
export function emptyColumns(dimensions: number, rows: number): Float64Array[] {
  return Array.from({ length: dimensions }, () => new Float64Array(rows));
}

/** @throws ScytheError `invalid_input` when some of the points do not exist */
export function checkRange(points: PointSet, first: number, count: number): void {
  checkWhole(first, 0, Number.MAX_SAFE_INTEGER, "The first point");
  checkWhole(count, 0, Number.MAX_SAFE_INTEGER, "The number of points");
  if (first + count <= points.size) return;
  throw new ScytheError("invalid_input", `There are ${points.size} points, not ${first + count}`, {
    hint: "Ask for fewer points.",
    details: { size: points.size, first, count },
  });
}

/** @throws ScytheError `invalid_input` for a number of dimensions that a point set cannot have */
export function checkDimensions(dimensions: number, most: number, what: string): void {
  checkWhole(dimensions, 1, most, `The number of dimensions of ${what}`, "Vary fewer fields, or take another design.");
}

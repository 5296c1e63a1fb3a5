import type { Observations } from "./observations.ts";

/** Which rows belong together. */
export interface BlockShape {
  /** Rows of a block. */
  rows: number;
  /** Position of the first row of the first block. */
  first: number;
}

/** What was left out of an analysis, and why. */
export interface Losses {
  /** Blocks of the design (rows, where rows stand for themselves). */
  planned: number;
  used: number;
  /** Those with a spec that failed or is not done. */
  failed: number;
  /** Those whose specs all succeeded, but with a value that is null or no finite number. */
  missing: number;
}

/** The blocks whose rows are all there, for one output. */
export interface CompleteBlocks {
  /** Index of a row in the observations, for each row of each block. */
  rows: Int32Array;
  losses: Losses;
}

/**
 * Complete-block deletion: one row that failed, or has no finite value of the output, takes its whole block with it, as
 * an index compares the rows of a block with one another. Nothing is imputed. The rows after the last whole block of the
 * design are no block.
 */
export function completeBlocks(
  observations: Observations,
  values: Float64Array,
  { rows: size, first }: BlockShape,
): CompleteBlocks {
  const planned = Math.floor(Math.max(0, observations.planned - first) / size);
  const rowAt = rowsByPosition(observations.positions, first, planned * size);
  const rows = new Int32Array(planned * size);
  const losses = { planned, used: 0, failed: 0, missing: 0 };
  for (let block = 0; block < planned; block++) {
    let [isThere, hasValue] = [true, true];
    for (let i = 0; i < size; i++) {
      const row = rowAt[block * size + i]!;
      if (row < 0) isThere = false;
      else if (!Number.isFinite(values[row])) hasValue = false;
      rows[losses.used * size + i] = row;
    }
    if (!isThere) losses.failed++;
    else if (!hasValue) losses.missing++;
    else losses.used++;
  }
  return { rows: rows.subarray(0, losses.used * size), losses };
}

/** The index of the row at each place of the design; −1 where there is none. */
function rowsByPosition(positions: Float64Array, first: number, length: number): Int32Array {
  const rowAt = new Int32Array(length).fill(-1);
  for (let row = 0; row < positions.length; row++) {
    const place = positions[row]! - first;
    if (place >= 0 && place < length) rowAt[place] = row;
  }
  return rowAt;
}

/** The values of some rows, in their order. */
export function pick(values: Float64Array, rows: Int32Array): Float64Array {
  const picked = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = values[rows[i]!]!;
  return picked;
}

export function sameRows(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((row, i) => row === b[i]);
}

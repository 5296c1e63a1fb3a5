import type { InputColumn } from "./observations.ts";
import { sortedRows } from "./ranks.ts";

/** The rows of a sample cut into slices by one input. */
export interface Slices {
  /** The slice of each row, from 0. */
  of: Int32Array;
  count: number;
}

/** A number of at most so many values has a slice for each, if each has so many rows on average. */
const FEW_VALUES = 50;
const ROWS_PER_VALUE = 5;

/**
 * Slices in the input's order, with as even numbers of rows as can be; rows with the same value stay together. An input
 * of levels, and a number of few values, has a slice for each of them.
 */
export function slicesOf({ values, levels }: InputColumn, wanted: number): Slices {
  const rows = sortedRows(values);
  const distinct = distinctValues(values, rows);
  const eachItsOwn = levels !== undefined || (distinct <= FEW_VALUES && rows.length >= distinct * ROWS_PER_VALUE);
  const of = new Int32Array(values.length);
  let [count, place] = [0, -1];
  for (let from = 0; from < rows.length; ) {
    let to = from + 1;
    while (to < rows.length && values[rows[to]!] === values[rows[from]!]) to++;
    // equal values belong where their middle lies
    const next = eachItsOwn ? place + 1 : Math.floor(((from + to - 1) / 2 / rows.length) * wanted);
    if (next !== place) count++;
    place = next;
    for (let i = from; i < to; i++) of[rows[i]!] = count - 1;
    from = to;
  }
  return { of, count };
}

function distinctValues(values: Float64Array, sorted: Uint32Array): number {
  let distinct = 0;
  for (let i = 0; i < sorted.length; i++) {
    if (i === 0 || values[sorted[i]!] !== values[sorted[i - 1]!]) distinct++;
  }
  return distinct;
}

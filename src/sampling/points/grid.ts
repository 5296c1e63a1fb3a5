import { ScytheError } from "../../errors.ts";
import { checkWhole } from "../whole-number.ts";
import { checkDimensions, type PointSet } from "./point-set.ts";

/**
 * Coordinates of `levels` evenly spread values: with both ends (0, …, 1), or else in the middles of equal shares. One level
 * is the middle.
 */
export function evenLevels(levels: number, ends: boolean): Float64Array {
  checkWhole(levels, 1, 2 ** 31, "The number of levels");
  if (ends && levels > 1) return Float64Array.from({ length: levels }, (_, i) => i / (levels - 1));
  return Float64Array.from({ length: levels }, (_, i) => (i + 0.5) / levels);
}

/**
 * The full grid: every combination of the axes' coordinates; the last axis changes fastest.
 * @throws ScytheError `invalid_input` for an empty axis, or more combinations than a number can count
 */
export function grid(axes: readonly Float64Array[]): PointSet {
  checkDimensions(axes.length, 100_000, "a grid");
  for (const axis of axes) checkWhole(axis.length, 1, 2 ** 31, "The number of levels of a grid");
  const size = axes.reduce((product, axis) => product * axis.length, 1);
  if (size > Number.MAX_SAFE_INTEGER) {
    throw new ScytheError("invalid_input", `A grid of ${axes.length} axes has ${size} points`, {
      hint: "Give fewer levels, fix some fields, or take a Sobol' design.",
    });
  }
  const strides = axes.map((_, j) => axes.slice(j + 1).reduce((product, axis) => product * axis.length, 1));
  return {
    dimensions: axes.length,
    size,
    fill(columns, first) {
      for (const [j, column] of columns.entries()) {
        const axis = axes[j]!;
        for (let i = 0; i < column.length; i++) {
          column[i] = axis[Math.floor((first + i) / strides[j]!) % axis.length]!;
        }
      }
    },
  };
}

/**
 * One at a time: the base point, then for each axis in turn all of its coordinates but the base's, the others at the base.
 * @param base a coordinate for each axis, on it or not
 */
export function oneAtATime(axes: readonly Float64Array[], base: readonly number[]): PointSet {
  checkDimensions(axes.length, 100_000, "a one-at-a-time design");
  const steps = axes.flatMap((axis, j) =>
    [...axis].filter((value) => value !== base[j]).map((value) => ({ j, value })),
  );
  return {
    dimensions: axes.length,
    size: 1 + steps.length,
    fill(columns, first) {
      for (const [j, column] of columns.entries()) {
        for (let i = 0; i < column.length; i++) {
          const step = steps[first + i - 1];
          column[i] = step?.j === j ? step.value : base[j]!;
        }
      }
    },
  };
}

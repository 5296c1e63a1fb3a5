import { checkDimensions, checkRange, emptyColumns, LONGEST_SEQUENCE, type PointSet } from "./point-set.ts";
import { type SobolOptions, sobol } from "./sobol.ts";
import { SOBOL_DIMENSIONS } from "./sobol-directions.ts";

/** How Saltelli's cross-samples are made. */
export interface SaltelliOptions extends SobolOptions {
  /** Also the points that second-order indices need (default true). */
  secondOrder?: boolean;
}

/** Points that one point of the base sequence becomes. */
export function saltelliRows(dimensions: number, secondOrder: boolean): number {
  return secondOrder ? 2 * dimensions + 2 : dimensions + 2;
}

/**
 * Saltelli's cross-sampling for Sobol' indices (Comput. Phys. Commun. 145, 2002; 181, 2010). A point of a Sobol' sequence in
 * twice as many dimensions gives a and b; they become the rows a, ab(1) … ab(d), for second order ba(1) … ba(d), and b,
 * where ab(i) is a with coordinate i of b. The order is SALib's. Can be continued by whole points of the sequence.
 */
export function saltelli(dimensions: number, options: SaltelliOptions = {}): PointSet {
  checkDimensions(dimensions, Math.floor(SOBOL_DIMENSIONS / 2), "a Saltelli design");
  const { secondOrder = true, ...sobolOptions } = options;
  const base = sobol(2 * dimensions, sobolOptions);
  const rows = saltelliRows(dimensions, secondOrder);
  return {
    dimensions,
    size: rows * LONGEST_SEQUENCE,
    fill(columns, first) {
      const count = columns[0]?.length ?? 0;
      checkRange(this, first, count);
      const firstPoint = Math.floor(first / rows);
      const points = emptyColumns(2 * dimensions, Math.ceil((first + count) / rows) - firstPoint);
      base.fill(points, firstPoint);
      for (const [j, column] of columns.entries()) {
        for (let i = 0; i < count; i++) {
          const row = (first + i) % rows;
          const point = Math.floor((first + i) / rows) - firstPoint;
          column[i] = points[comesFromB(row, j, dimensions, rows) ? dimensions + j : j]![point]!;
        }
      }
    },
  };
}

function comesFromB(row: number, coordinate: number, dimensions: number, rows: number): boolean {
  if (row === 0) return false;
  if (row === rows - 1) return true;
  return row <= dimensions ? row - 1 === coordinate : row - dimensions - 1 !== coordinate;
}

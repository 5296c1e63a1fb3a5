/**
 * The squared centred L2 discrepancy (Hickernell, "A generalized discrepancy and quadrature error bound", Math. Comp. 67,
 * 1998): how far points are from filling the unit cube evenly, in all projections. SciPy's `qmc.discrepancy` gives it, too.
 * @param columns one array a dimension
 */
export function centredDiscrepancy(columns: readonly Float64Array[]): number {
  const n = columns[0]?.length ?? 0;
  let single = 0;
  let pairs = 0;
  for (let i = 0; i < n; i++) {
    let product = 1;
    for (const column of columns) product *= pointFactor(column[i]! - 0.5);
    single += product;
    let own = 1;
    for (const column of columns) own *= 1 + Math.abs(column[i]! - 0.5);
    pairs += own;
    for (let j = 0; j < i; j++) {
      let pair = 1;
      for (const column of columns) pair *= pairFactor(column[i]! - 0.5, column[j]! - 0.5);
      pairs += 2 * pair;
    }
  }
  return (13 / 12) ** columns.length - (2 / n) * single + pairs / (n * n);
}

/** What one coordinate, seen from the centre, brings to the term of its point. */
export function pointFactor(z: number): number {
  return 1 + 0.5 * Math.abs(z) - 0.5 * z * z;
}

/** What two coordinates, seen from the centre, bring to the term of a pair of points. */
export function pairFactor(y: number, z: number): number {
  return 1 + 0.5 * (Math.abs(y) + Math.abs(z) - Math.abs(y - z));
}

/** The least distance of two points. Infinite for fewer than two. */
export function leastDistance(columns: readonly Float64Array[]): number {
  const n = columns[0]?.length ?? 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let square = 0;
      for (const column of columns) square += (column[i]! - column[j]!) ** 2;
      if (square < least) least = square;
    }
  }
  return Math.sqrt(least);
}

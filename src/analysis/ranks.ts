/** The rows in the order of their values; equal ones in the order of the rows. */
export function sortedRows(values: Float64Array): Uint32Array {
  const rows = new Uint32Array(values.length);
  for (let i = 0; i < rows.length; i++) rows[i] = i;
  return rows.sort((a, b) => values[a]! - values[b]! || a - b);
}

/** The rank of each value, from 1; equal values share the mean of their ranks, as in SciPy's `rankdata`. */
export function ranks(values: Float64Array): Float64Array {
  const rows = sortedRows(values);
  const result = new Float64Array(values.length);
  for (let from = 0; from < rows.length; ) {
    let to = from + 1;
    while (to < rows.length && values[rows[to]!] === values[rows[from]!]) to++;
    for (let i = from; i < to; i++) result[rows[i]!] = (from + 1 + to) / 2;
    from = to;
  }
  return result;
}

/** A quantile of sorted values, linear between them: NumPy's default (Hyndman & Fan 1996, type 7). */
export function quantile(sorted: Float64Array, p: number): number {
  const place = p * (sorted.length - 1);
  const below = Math.min(Math.max(Math.floor(place), 0), sorted.length - 1);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  const share = place - below;
  return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1 - share);
}

/** Bytes of a number or boolean in a column; also the overhead of any value besides its text. */
const CELL = 8;
/** A number in a list: it is transferred as JSON text. */
const LISTED = 16;
/** Cyclic or deeper values are left to the schema to refuse. */
const DEEPEST = 64;

/**
 * Approximate bytes of a value in a table: text by its characters, anything else 8 per value. Stops as soon as it
 * exceeds `most`, so that huge values cost no more than slightly too large ones.
 */
export function sizeOf(value: unknown, most: number, depth = 0): number {
  if (typeof value === "string") return CELL + value.length;
  if (typeof value !== "object" || value === null || depth > DEEPEST) return CELL;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  let size = CELL;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && size <= most; i++) {
      size += typeof value[i] === "number" ? LISTED : sizeOf(value[i], most - size, depth + 1);
    }
    return size;
  }
  for (const key in value) {
    size += sizeOf((value as Record<string, unknown>)[key], most - size, depth + 1);
    if (size > most) break;
  }
  return size;
}

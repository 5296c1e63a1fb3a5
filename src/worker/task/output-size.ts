/** Bytes of a number or a boolean in a column; also what a value costs beside its text. */
const CELL = 8;
/** A number in a list: it travels as JSON text. */
const LISTED = 16;
/** What holds itself, or lies deeper, is for the schema to refuse. */
const DEEPEST = 64;

/**
 * Roughly the bytes that values take in a table: text by its characters, anything else 8 a value. Stops as soon as it
 * is above `most`, so that what is far too large costs no more than what is just too large.
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

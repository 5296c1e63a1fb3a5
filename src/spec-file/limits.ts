import { ScytheError } from "../errors.ts";

/** Limits of what is read: every reader of specs takes time and memory proportional to its input, up to these. */
export const LIMITS = {
  /** Bytes of one spec in a file: a CSV record, a line of JSONL, an element of a JSON array. */
  specBytes: 64 * 2 ** 20,
  /** Columns of a table of specs. */
  columns: 10_000,
  /** Undeclared fields of a loose schema: each becomes an index column of every table. */
  extraFields: 1_000,
  /** Uncompressed bytes of one column of a row group of a Parquet file: a reader holds them at once. */
  columnBytes: 512 * 2 ** 20,
  /** Values of one column of a row group. */
  columnValues: 20_000_000,
} as const;

export function tooLarge(where: string, what: string): ScytheError {
  return new ScytheError("invalid_input", `${where}: ${what}`, {
    hint: "Keep large data in files that specs refer to (fileRef), and give one spec per row.",
  });
}

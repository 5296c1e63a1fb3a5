import { ScytheError } from "../errors.ts";

/** How large what is given may be: every reader of specs takes time and memory in proportion to it, and no more than this. */
export const LIMITS = {
  /** Bytes of one spec in a file: a CSV record, a line of JSONL, an element of a JSON array. */
  specBytes: 64 * 2 ** 20,
  /** Columns of a table of specs. */
  columns: 10_000,
  /** Bytes of the cells of one column that a Parquet file makes a reader hold at once. */
  columnBytes: 512 * 2 ** 20,
} as const;

export function tooLarge(where: string, what: string): ScytheError {
  return new ScytheError("invalid_input", `${where}: ${what}`, {
    hint: "Keep large data in files that specs refer to (fileRef), and give one spec a row.",
  });
}

import { ScytheError } from "../errors.ts";
import { literal } from "./sql.ts";

/**
 * Parquet files as DuckDB's SQL reads them: nothing but these files and their own columns. Left to itself DuckDB takes
 * columns out of a folder called `key=value`, and a `*` or `[` in a folder's name for a pattern.
 */

/** The rows of one file, or of files with the same columns. */
export function parquetRows(files: string | readonly string[]): string {
  return `read_parquet(${pathSql(files)}, hive_partitioning = false, union_by_name = false)`;
}

/** What the files say of themselves. */
export function parquetFacts(about: "file_metadata" | "kv_metadata" | "metadata", files: string | readonly string[]) {
  return `parquet_${about}(${pathSql(files)})`;
}

/** A path, or a list of paths, as a SQL literal that stands for these files alone. */
export function pathSql(files: string | readonly string[]): string {
  return typeof files === "string" ? literal(exactly(files)) : `[${files.map((file) => literal(exactly(file)))}]`;
}

/**
 * DuckDB's pattern that one path alone fits.
 * @throws ScytheError `invalid_input` for a path with both backslashes and pattern characters: DuckDB has none for it
 */
export function exactly(path: string): string {
  if (!/[*?[]/.test(path)) return path;
  if (!path.includes("\\")) return path.replace(/[*?[]/g, "[$&]");
  throw new ScytheError("invalid_input", `The path ${path} has a backslash beside *, ? or [`, {
    hint: "DuckDB cannot open such a path: rename the folder, or use another.",
  });
}

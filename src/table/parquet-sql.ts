import { ScytheError } from "../errors.ts";
import { literal } from "./sql.ts";

/**
 * SQL by which DuckDB reads exactly these Parquet files and their own columns. By default DuckDB derives columns from a
 * folder called `key=value`, and treats `*` and `[` in a folder's name as a pattern.
 */

/** The rows of one file, or of files with the same columns. */
export function parquetRows(files: string | readonly string[]): string {
  return `read_parquet(${pathSql(files)}, hive_partitioning = false, union_by_name = false)`;
}

/** The files' metadata. */
export function parquetFacts(about: "file_metadata" | "kv_metadata" | "metadata", files: string | readonly string[]) {
  return `parquet_${about}(${pathSql(files)})`;
}

/** A path, or a list of paths, as a SQL literal that matches these files only. */
export function pathSql(files: string | readonly string[]): string {
  return typeof files === "string" ? literal(exactly(files)) : `[${files.map((file) => literal(exactly(file)))}]`;
}

/**
 * A DuckDB pattern that matches only this path.
 * @throws ScytheError `invalid_input` for a path with both backslashes and pattern characters: DuckDB has no pattern
 * for it
 */
export function exactly(path: string): string {
  if (!/[*?[]/.test(path)) return path;
  if (!path.includes("\\")) return path.replace(/[*?[]/g, "[$&]");
  throw new ScytheError("invalid_input", `The path ${path} has a backslash as well as *, ? or [`, {
    hint: "DuckDB cannot open such a path: rename the folder, or use another.",
  });
}

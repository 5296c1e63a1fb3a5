/**
 * The columns that Scythe adds before the user's fields, named as in Python Scythe. The first four are the start of
 * every table's index; the fifth exists only in Python and is skipped when its files are read.
 */
export const ID_COLUMNS = ["experiment_id", "sort_index", "workflow_run_id", "root_workflow_run_id"] as const;

/** Names that no input, output, table column or computed feature may take. */
export const RESERVED_COLUMNS: ReadonlySet<string> = new Set([...ID_COLUMNS, "storage_settings", "sort_subindex"]);

/** Reserved columns that a spec may have (for example in an old `specs.pq`); they are ignored. */
export const IGNORED_SPEC_COLUMNS = [...ID_COLUMNS, "storage_settings"] as const;

/** Names of files in `final/` that every run has; no table may use them. */
export const RESERVED_TABLES: ReadonlySet<string> = new Set([
  "scalars",
  "result_file_refs",
  "errors",
  "specs",
  "tables",
]);

/** The name of the output files' record inside the run; no table can have it (`SAFE_NAME`). */
export const OUTPUT_FILES = "_files";

/** Letters, digits, `_`, `-`, `.`; starts with a letter or digit: safe as a file name, in a URL and in SQL quotes. */
export const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

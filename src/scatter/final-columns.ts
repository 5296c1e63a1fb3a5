import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import type { Column } from "../schema/columns.ts";

/**
 * The columns of the final tables. All begin with the same index: ids, scalar inputs, computed features. This module
 * defines the rest for writers, readers and checks.
 */

/** The table of failed specs; no user table can have its name. */
export const ERRORS = "errors";
export const SCALARS = "scalars";
/** The table of the file outputs' URIs. */
export const FILE_REFS = "result_file_refs";

const PLAIN = { optional: false, file: false };

/** The number of a row within its spec. */
export const SORT_SUBINDEX: Column = { name: "sort_subindex", type: { kind: "int64" }, nullable: false, ...PLAIN };

/** A table's columns after the shared index. */
export interface TableLayout {
  /** Further index levels. */
  levels: Column[];
  columns: Column[];
}

/**
 * All tables of a complete run, in the order in which they are written.
 * @param index names of the columns that all tables begin with
 */
export function finalLayout(experiment: AnyExperiment, index: readonly string[]): Map<string, TableLayout> {
  const { scalars, files, tables } = experiment.columns as AnyExperiment["columns"];
  const layout = new Map<string, TableLayout>([
    [SCALARS, { levels: [], columns: scalars }],
    [ERRORS, { levels: [], columns: errorColumns(index) }],
  ]);
  if (files.length > 0) layout.set(FILE_REFS, { levels: [], columns: files });
  for (const [name, own] of Object.entries(tables as Record<string, Column[]>)) {
    const levels = own.filter((column) => experiment.tables[name].index.includes(column.name));
    const columns = own.filter((column) => !levels.includes(column));
    layout.set(name, { levels: [...levels, SORT_SUBINDEX], columns });
  }
  return layout;
}

export function finalTableNames(experiment: AnyExperiment): string[] {
  return [...finalLayout(experiment, []).keys()];
}

/** What `errors.pq` records about a failed spec, in column order. Append new fields at the end. */
const ERROR_FIELDS = {
  kind: "string",
  name: "string",
  message: "string",
  stack: "string",
  attempts: "int64",
  worker: "string",
  duration: "float64",
} as const;

/** A field of `errors.pq` about the failure. */
export type ErrorField = keyof typeof ERROR_FIELDS;

/** The type of each field's value when read. */
export type ErrorValues = {
  [F in ErrorField]: (typeof ERROR_FIELDS)[F] extends "string" ? (F extends "stack" ? string | null : string) : number;
};

export const ERROR_FIELD_NAMES = Object.keys(ERROR_FIELDS) as ErrorField[];

/** A field's column under the given name. */
export function errorColumn(field: ErrorField, name: string = field): Column {
  return { name, type: { kind: ERROR_FIELDS[field] }, nullable: field === "stack", ...PLAIN };
}

/** The columns of `errors.pq` after its index. If the index has a `kind` too, the error's column is `error_kind`. */
export function errorColumns(index: readonly string[]): Column[] {
  const names = errorNames(index);
  return ERROR_FIELD_NAMES.map((field) => errorColumn(field, names[field]));
}

/** The column name of each field in an `errors.pq` with this index. */
export function errorNames(index: readonly string[]): Record<ErrorField, string> {
  const taken = new Set(index.map((name) => name.toLowerCase()));
  const named = (field: string): string => (taken.has(field) ? named(`error_${field}`) : field);
  return Object.fromEntries(ERROR_FIELD_NAMES.map((field) => [field, named(field)])) as Record<ErrorField, string>;
}

/**
 * The column name of each field in an `errors.pq` when only the column names are known. The index ends where the
 * following names are those that it leaves free; columns of a later version may follow.
 * @param columns all of the file's, in order
 * @throws ScytheError `storage` when they are not those of such a file
 */
export function errorNamesAmong(columns: readonly string[]): Record<ErrorField, string> {
  for (let end = columns.length - ERROR_FIELD_NAMES.length; end >= 0; end--) {
    const names = errorNames(columns.slice(0, end));
    if (ERROR_FIELD_NAMES.every((field, i) => names[field] === columns[end + i])) return names;
  }
  throw new ScytheError("storage", `errors.pq has unexpected columns: ${columns.join(", ")}`, {
    hint: "`scythe verify` says whether it is damaged.",
  });
}

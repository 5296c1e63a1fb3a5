import type { AnyExperiment } from "../experiment/define.ts";
import { OUTPUT_FILES } from "../schema/base.ts";
import { type Column, isScalarColumn, isUnionColumn } from "../schema/columns.ts";
import { SORT_INDEX } from "../schema/id-columns.ts";
import { ERROR_FIELD_NAMES, ERRORS, type ErrorField, errorColumn, SORT_SUBINDEX } from "./final-columns.ts";

/**
 * The columns of a run's intermediate files, in physical types. A part holds the rows of a chunk's succeeded specs:
 * `sort_index`, the scalar inputs (so that no join is needed later), computed features as JSON, and the outputs. Failed
 * rows, rows of user tables and the record of output files are side tables: files of their own, named by the attempt
 * that wrote the part.
 */

export const FEATURES = "__features";

const PLAIN = { optional: false, file: false };
const FEATURES_COLUMN: Column = { name: FEATURES, type: { kind: "string" }, nullable: true, ...PLAIN };

export interface PartColumns {
  /** Succeeded specs. */
  rows: Column[];
  /** Failed specs. */
  errors: Column[];
  tables: Record<string, Column[]>;
  /** The record of output files. */
  files: Column[];
  /** The columns of `rows` and `errors` that identify the spec, after `sort_index`; features last, if any. */
  index: Column[];
}

/** What a run adds to its index beyond the input schema. */
export interface IndexShape {
  extra_columns: readonly Column[];
  union_columns?: boolean | undefined;
}

/** The inputs that are index columns. */
export function indexInputs(experiment: AnyExperiment, { extra_columns, union_columns }: IndexShape): Column[] {
  const scalar = [...experiment.columns.input, ...extra_columns].filter(isScalarColumn);
  return union_columns ? scalar : scalar.filter((column) => !isUnionColumn(column));
}

export function partColumns(experiment: AnyExperiment, shape: IndexShape): PartColumns {
  const inputs = indexInputs(experiment, shape);
  const index = experiment.computedFeatures ? [...inputs, FEATURES_COLUMN] : inputs;
  const nullable = index.map((column) => ({ ...column, nullable: true }));
  return {
    index,
    rows: [SORT_INDEX, ...index, ...experiment.columns.scalars, ...experiment.columns.files],
    errors: [SORT_INDEX, ...nullable, ...ERROR_COLUMNS],
    tables: Object.fromEntries(
      Object.entries(experiment.columns.tables as Record<string, Column[]>).map(([name, columns]) => [
        name,
        [SORT_INDEX, SORT_SUBINDEX, ...columns],
      ]),
    ),
    files: [SORT_INDEX, ...FILE_COLUMNS],
  };
}

/** Names of the side tables that rows may have, of a part or of a gathered node. */
export function sideTableNames({ columns, tables }: AnyExperiment): string[] {
  return [ERRORS, ...(columns.files.length > 0 ? [OUTPUT_FILES] : []), ...Object.keys(tables)];
}

/** The record of an output file: `path` is within the run. */
export const FILE_COLUMNS: readonly Column[] = (
  [
    ["field", "string"],
    ["path", "string"],
    ["bytes", "int64"],
    ["sha256", "string"],
  ] as const
).map(([name, kind]) => ({ name, type: { kind }, nullable: false, ...PLAIN }));

/** What is recorded about a failed spec, under names that no input can have. */
export const ERROR_COLUMNS: readonly Column[] = ERROR_FIELD_NAMES.map((field) =>
  errorColumn(field, partErrorName(field)),
);

/** The column name of an error field in a part. */
export function partErrorName(field: ErrorField): string {
  return `__${field}`;
}

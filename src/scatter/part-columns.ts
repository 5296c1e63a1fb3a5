import type { AnyExperiment } from "../experiment/define.ts";
import { OUTPUT_FILES } from "../schema/base.ts";
import { type Column, isScalarColumn, isUnionColumn } from "../schema/columns.ts";
import { SORT_INDEX } from "../schema/id-columns.ts";
import { ERROR_FIELD_NAMES, ERRORS, type ErrorField, errorColumn, SORT_SUBINDEX } from "./final-layout.ts";

/**
 * The columns of the files inside a run, in physical types. A part holds the good rows of its chunk: `sort_index`, the
 * scalar inputs (so that no join is needed later), computed features as JSON, and the outputs. Failed rows and the
 * rows of user tables lie in files of their own, named by the attempt that wrote the part; so does what is known of the
 * output files of its specs.
 */

export const FEATURES = "__features";

const PLAIN = { optional: false, file: false };
const FEATURES_COLUMN: Column = { name: FEATURES, type: { kind: "string" }, nullable: true, ...PLAIN };

export interface PartColumns {
  /** Good rows. */
  rows: Column[];
  /** Failed rows. */
  errors: Column[];
  tables: Record<string, Column[]>;
  /** What is recorded of each output file. */
  files: Column[];
  /** Those of `rows` and `errors` that say which spec it is, after `sort_index`; features last, when there are any. */
  index: Column[];
}

/** What a run says of its index beyond the schema of its inputs. */
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

/** Names of what may lie beside the good rows: of a part, and of what a node gathered. */
export function sideTables({ columns, tables }: AnyExperiment): string[] {
  return [ERRORS, ...(columns.files.length > 0 ? [OUTPUT_FILES] : []), ...Object.keys(tables)];
}

/** What is recorded of an output file: `path` is within the run. */
export const FILE_COLUMNS: readonly Column[] = (
  [
    ["field", "string"],
    ["path", "string"],
    ["bytes", "int64"],
    ["sha256", "string"],
  ] as const
).map(([name, kind]) => ({ name, type: { kind }, nullable: false, ...PLAIN }));

/** What is kept of a failed spec, under names that no input has. */
export const ERROR_COLUMNS: readonly Column[] = ERROR_FIELD_NAMES.map((field) =>
  errorColumn(field, partErrorName(field)),
);

/** A field of a failed spec in a part. */
export function partErrorName(field: ErrorField): string {
  return `__${field}`;
}

import { ScytheError } from "../errors.ts";
import { didYouMean } from "../known-keys.ts";
import { type Column, isScalarColumn } from "../schema/columns.ts";
import { jsonSchemaOf } from "../schema/json-schema.ts";
import { isOpen } from "../schema/validate.ts";
import { parseCell } from "../spec-file/cell.ts";
import type { AnyExperiment } from "./define.ts";

/** The JSON Schema (draft 2020-12) of what a spec of the experiment gives: for forms, and for lists of its fields. */
export function inputSchemaOf(experiment: AnyExperiment): Record<string, unknown> {
  return jsonSchemaOf(experiment.input, "input");
}

/**
 * What a text stands for in a field of the experiment's input, as in a cell of a CSV file; a value that the schema
 * refuses is returned as it is, for the allocation to name it.
 * @throws ScytheError `invalid_input` for a field that the schema neither names nor lets through
 */
export function parseField(experiment: AnyExperiment, field: string, text: string): unknown {
  return parseCell(columnOf(experiment, field), text);
}

/** False for a field that holds lists or objects, whose text is JSON. @throws ScytheError as {@link parseField} */
export function isScalarField(experiment: AnyExperiment, field: string): boolean {
  const column = columnOf(experiment, field);
  return column === undefined || isScalarColumn(column);
}

function columnOf(experiment: AnyExperiment, field: string): Column | undefined {
  const columns = experiment.columns.input as Column[];
  const column = columns.find(({ name }) => name === field);
  if (column || field === "sort_index" || isOpen(experiment.input)) return column;
  const names = columns.map(({ name }) => name);
  throw new ScytheError("invalid_input", `${experiment.name} has no field ${field}${didYouMean(field, names)}`, {
    hint: `Its fields: ${names.join(", ")}.`,
    details: { field, known: names },
  });
}

import { type Column, isScalarColumn, isUnionColumn } from "../schema/columns.ts";
import { bigintOf, booleanOf, numberOf } from "../schema/plain-text.ts";
import { EMPTY } from "../schema/spec-validator.ts";
import { parseJson } from "./json-text.ts";

/**
 * The value of a CSV cell, or of `--set name=value`, for its column. Dates stay text: they are parsed where dates of
 * every other format are. Text that does not fit its column is passed on, for the schema to refuse by name.
 */
export function cellReader(column: Column): (cell: string) => unknown {
  if (!isScalarColumn(column) || isUnionColumn(column)) return (cell) => emptyOr(cell, jsonOrText);
  switch (column.type.kind) {
    case "float64":
    case "int64":
      return (cell) => emptyOr(cell, (text) => numberOf(text) ?? text);
    case "bigint":
      return (cell) => emptyOr(cell, (text) => bigintOf(text) ?? text);
    case "boolean":
      return (cell) => emptyOr(cell, (text) => booleanOf(text) ?? text);
    case "timestamp":
      return (cell) => emptyOr(cell, (text) => text);
    default:
      return (cell) => (cell === "" ? EMPTY : cell);
  }
}

/** The value of JSON text; text that is not JSON, or has a duplicate key, is passed on. */
function jsonOrText(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** For columns other than text, blanks count as empty. */
function emptyOr(cell: string, read: (text: string) => unknown): unknown {
  return cell.trim() === "" ? EMPTY : read(cell);
}

/** A field that the schema does not declare: its type is guessed from its text; an empty one is omitted. */
export function looseCell(cell: string): unknown {
  if (cell === "") return undefined;
  if (cell === "true" || cell === "false") return cell === "true";
  const number = numberOf(cell);
  const exact = number !== undefined && !(Number.isInteger(number) && !Number.isSafeInteger(number) && isDigits(cell));
  return exact ? number : cell;
}

/** Integers that a number cannot hold stay text. */
function isDigits(cell: string): boolean {
  return /^\s*[+-]?\d+\s*$/.test(cell);
}

/** The value of `--set name=value`, by the rules of CSV cells. */
export function parseCell(column: Column | undefined, cell: string): unknown {
  return column ? cellReader(column)(cell) : looseCell(cell);
}

import { type Column, isScalarColumn, isUnionColumn } from "../schema/columns.ts";
import { EMPTY } from "../schema/given.ts";
import { bigintOf, booleanOf, numberOf } from "../schema/plain-text.ts";
import { parseJson } from "./json-text.ts";

/**
 * What the text of a CSV cell, or of `--set name=value`, stands for in its column. Dates stay text, which is read where
 * every other format's dates are; what does not look like its column's kind is handed on, for the schema to refuse by name.
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

/** The value of JSON text; text that is none, or says a thing twice, is handed on. */
function jsonOrText(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** Where text is not wanted, blanks are as good as nothing. */
function emptyOr(cell: string, read: (text: string) => unknown): unknown {
  return cell.trim() === "" ? EMPTY : read(cell);
}

/** A field that the schema does not name: only its looks tell what it is; an empty one is not there. */
export function looseCell(cell: string): unknown {
  if (cell === "") return undefined;
  if (cell === "true" || cell === "false") return cell === "true";
  const number = numberOf(cell);
  const exact = number !== undefined && !(Number.isInteger(number) && !Number.isSafeInteger(number) && isDigits(cell));
  return exact ? number : cell;
}

/** Digits that a number would not hold stay text. */
function isDigits(cell: string): boolean {
  return /^\s*[+-]?\d+\s*$/.test(cell);
}

/** The value of `--set name=value`, by the same rules as a CSV cell. */
export function parseCell(column: Column | undefined, cell: string): unknown {
  return column ? cellReader(column)(cell) : looseCell(cell);
}

import { toJson } from "../json.ts";
import { identifier, literal } from "./sql.ts";

/** Named scalar values as JSON text, from which {@link jsonField} extracts each. */
export function flatJson(values: Readonly<Record<string, string | number | boolean>>): string {
  const pairs = Object.entries(values).map(([name, value]) => `${toJson(name)}:${jsonValue(value)}`);
  return `{${pairs.join(",")}}`;
}

function jsonValue(value: string | number | boolean): string {
  if (typeof value === "string") return toJson(value);
  return Object.is(value, -0) ? "-0.0" : String(value); // `-0` would be read as an integer, which has no negative zero
}

/**
 * SQL of a value's text in a column of JSON objects.
 * @param name any name; a JSON pointer is used because `*` in a JSON path would be a pattern
 */
export function jsonField(column: string, name: string): string {
  const pointer = `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return `json_extract_string(${identifier(column)}, ${literal(pointer)})`;
}

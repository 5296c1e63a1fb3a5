import { toJson } from "../json.ts";
import { identifier, literal } from "./sql.ts";

/** Plain values under names, as JSON text from which {@link jsonField} gets each back. */
export function flatJson(values: Readonly<Record<string, string | number | boolean>>): string {
  const pairs = Object.entries(values).map(([name, value]) => `${toJson(name)}:${jsonValue(value)}`);
  return `{${pairs.join(",")}}`;
}

function jsonValue(value: string | number | boolean): string {
  if (typeof value === "string") return toJson(value);
  return Object.is(value, -0) ? "-0.0" : String(value); // `-0` would be a whole number, which has no such zero
}

/** SQL of the text of a value in a column of JSON objects. @param name any name: in a JSON path, `*` would be a pattern */
export function jsonField(column: string, name: string): string {
  const pointer = `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return `json_extract_string(${identifier(column)}, ${literal(pointer)})`;
}

import { jsonText } from "./json-text.ts";

/** One line of CSV (RFC 4180), without its line break. A missing value is an empty cell; an empty text is `""`. */
export function csvLine(values: readonly unknown[]): string {
  return values.map(csvCell).join(",");
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "object") return quoted(jsonText(value));
  const text = String(value);
  return typeof value === "string" ? quoted(text) : text;
}

function quoted(text: string): string {
  return /[",\r\n]|^$|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

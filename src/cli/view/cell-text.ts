import { plainJson } from "./json-text.ts";

/** A value as one line of text for a table. @param exact all digits of a number, instead of six significant ones */
export function cellText(value: unknown, exact = false): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return exact ? String(value) : numberText(value);
  if (value instanceof Date) return value.toISOString().replace(/\.000Z$/, "Z");
  if (typeof value === "object") return oneLine(JSON.stringify(plainJson(value)));
  return oneLine(String(value));
}

/** Whole numbers as they are; others with six significant digits and no trailing zeros. */
export function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

const ESCAPES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Line breaks and control characters (which could control the terminal) as escapes. */
export function oneLine(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A message of several lines as one that reads well. */
export function messageLine(text: string): string {
  return oneLine(text.trim().replace(/\s*\n\s*/g, " ↵ "));
}

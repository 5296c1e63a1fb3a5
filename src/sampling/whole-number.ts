import { ScytheError } from "../errors.ts";

/** @throws ScytheError `invalid_input` when `value` is no whole number from `low` to `high` */
export function checkWhole(value: unknown, low: number, high: number, what: string, hint?: string): void {
  if (Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high) return;
  throw new ScytheError("invalid_input", `${what} must be a whole number from ${low} to ${high}, not ${show(value)}`, {
    hint: hint ?? "Change the option.",
  });
}

function show(value: unknown): string {
  return typeof value === "number" || value === undefined ? `${value}` : (JSON.stringify(value) ?? typeof value);
}

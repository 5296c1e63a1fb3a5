/**
 * A value as JSON: bigints beyond 2^53 as strings, `NaN` and the infinities as the strings of those names (JSON has no
 * numbers for them), dates as ISO 8601, bytes as base64.
 */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(plainJson(value), undefined, indent) ?? "null";
}

/** The same, as a value that `JSON.stringify` takes as it is. */
export function plainJson(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (Array.isArray(value)) return value.map(plainJson);
  if (value instanceof Map) return plainJson(Object.fromEntries(value));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainJson(inner)]));
}

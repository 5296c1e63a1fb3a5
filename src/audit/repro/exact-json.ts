import { dateOf } from "../../schema/plain-text.ts";

/**
 * Values as JSON that gives them back exactly: `{ "$bigint": "12" }`, `{ "$date": "2026-01-31T00:00:00.000Z" }`,
 * `{ "$number": "NaN" }` (also the infinities and -0). All else stands for itself.
 */
export function exactJson(value: unknown): string {
  return JSON.stringify(encoded(value), undefined, 2);
}

/** The value of text that {@link exactJson} wrote, perhaps edited by hand. */
export function parseExactJson(text: string): unknown {
  return decoded(JSON.parse(text));
}

function encoded(value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (typeof value === "number") {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { $number: Object.is(value, -0) ? "-0" : `${value}` };
  }
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? null : value.toISOString() };
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : encoded(item)));
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, encoded(inner)]));
  return isTagged(fields) ? { $object: fields } : fields;
}

function decoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decoded);
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Record<string, unknown>;
  if (isTagged(fields)) {
    const [tag, inner] = Object.entries(fields)[0]!;
    if (tag === "$bigint") return BigInt(inner as string);
    if (tag === "$number") return Number(inner);
    if (tag === "$date") return dateOf(String(inner)) ?? new Date(Number.NaN);
    return fieldsDecoded(inner as Record<string, unknown>);
  }
  return fieldsDecoded(fields);
}

function fieldsDecoded(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, inner]) => [name, decoded(inner)]));
}

/** Looks like one of our own tags: a user's object of that shape is wrapped. */
function isTagged(fields: Record<string, unknown>): boolean {
  const names = Object.keys(fields);
  return names.length === 1 && ["$bigint", "$number", "$date", "$object"].includes(names[0]!);
}

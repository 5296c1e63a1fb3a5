import type { z } from "zod";
import { unwrap } from "./columns.ts";
import { bigintOf, booleanOf, dateOf, numberOf } from "./plain-text.ts";

/** A refused value's broken rule. */
export class Refused {
  readonly rule: string;

  constructor(rule: string) {
    this.rule = rule;
  }
}

/** Converts a given value to the value that a schema will parse. */
export type Reading = (value: unknown) => unknown | Refused;

export type Kind = "date" | "bigint" | "number" | "boolean" | "string" | "other";

/** The kind of scalar value of a schema; for a literal, an enum or a union, the kind of all its values. */
export function kindOf(inner: z.core.$ZodType): Kind {
  const def = inner._zod.def as unknown as Record<string, unknown> & { type: string };
  if (def.type === "literal") return sameKind((def.values as unknown[]).map((value) => typeof value));
  if (def.type === "union") {
    return sameKind((def.options as z.core.$ZodType[]).map((option) => kindOf(unwrap(option).inner)));
  }
  if (def.type === "int") return "number";
  return plain(def.type);
}

function sameKind(kinds: readonly string[]): Kind {
  const first = kinds[0];
  return first !== undefined && kinds.every((kind) => kind === first) ? plain(first) : "other";
}

function plain(name: string): Kind {
  return (["date", "bigint", "number", "boolean", "string"] as const).find((kind) => kind === name) ?? "other";
}

/**
 * The conversion for a kind of value. JSON and text have no dates and no 64-bit integers: ISO 8601 and digits represent
 * them. With `z.coerce`, JavaScript would accept almost anything (dates in the machine's zone, "no" as true, a list as
 * a number); this accepts only what is written as such a value. Undefined: the value is passed on unchanged.
 */
export function coercedReader(kind: Kind, coerce: boolean): Reading | undefined {
  if (kind === "date") return dateFrom;
  if (kind === "bigint") return (value) => bigintFrom(value, coerce);
  if (!coerce) return undefined;
  if (kind === "number") return numberFrom;
  if (kind === "boolean") return booleanFrom;
  return kind === "string" ? textFrom : undefined;
}

const DATE_RULE = "must be a date or time in ISO 8601, such as 2024-01-31 or 2024-01-31T12:00:00Z (UTC without a zone)";

/** A number is refused: it could be seconds or milliseconds. */
function dateFrom(value: unknown): unknown {
  if (typeof value === "string") return dateOf(value) ?? new Refused(DATE_RULE);
  return value instanceof Date ? value : new Refused(DATE_RULE);
}

function bigintFrom(value: unknown, coerce: boolean): unknown {
  if (typeof value === "bigint") return value;
  if (typeof value === "string") return bigintOf(value) ?? new Refused("must be a whole number that fits 64 bits");
  if (typeof value !== "number") return coerce ? new Refused("must be a whole number") : value;
  if (Number.isSafeInteger(value)) return BigInt(value);
  const rule = Number.isInteger(value)
    ? "has more digits than a number in JSON can hold; write it as text, in quotes"
    : "must be a whole number";
  return new Refused(rule);
}

function numberFrom(value: unknown): unknown {
  if (typeof value === "string") return numberOf(value) ?? new Refused("must be a number");
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : new Refused(INEXACT);
  return typeof value === "object" ? new Refused("must be a number") : value;
}

const INEXACT = "has more digits than a number can hold; use z.bigint() or text";

function booleanFrom(value: unknown): unknown {
  if (typeof value === "boolean") return value;
  const rule = new Refused("must be true or false (or 1, 0, yes, no)");
  if (typeof value === "string") return booleanOf(value) ?? rule;
  return value === 1 || value === 0 || value === 1n || value === 0n ? Boolean(value) : rule;
}

function textFrom(value: unknown): unknown {
  return typeof value === "object" || typeof value === "symbol" ? new Refused("must be text") : value;
}

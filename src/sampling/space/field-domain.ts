import type { z } from "zod";
import { unwrap } from "../../schema/columns.ts";
import { isFileRef } from "../../schema/file-ref.ts";
import { jsonSchemaOf } from "../../schema/json-schema.ts";
import type { Level } from "./distributions.ts";

/** What a schema says of the values that a field may have. */
export interface FieldDomain {
  type: "number" | "integer" | "bigint" | "text" | "file" | "other";
  low?: number;
  high?: number;
  /** Bounds that are excluded. */
  above?: number;
  below?: number;
  step?: number;
  /** All values that there are. */
  levels?: Level[];
  unit?: string;
  /** The field may be left out. */
  omittable: boolean;
}

/** Reads a field by its JSON Schema, so that every way of writing the same thing in zod counts the same. */
export function domainOf(field: z.core.$ZodType): FieldDomain {
  const { inner } = unwrap(field);
  const schema = jsonSchemaOf(field as z.ZodType, "input");
  const omittable = field._zod.optin !== undefined;
  const unit = unitOf(schema.description ?? jsonSchemaOf(inner as z.ZodType, "input").description);
  const common = { omittable, ...(unit === undefined ? {} : { unit }) };
  if (isFileRef(inner)) return { type: "file", ...common };
  if (inner._zod.def.type === "bigint") return { type: "bigint", ...bigintBounds(inner), ...common };
  const levels = levelsOf(schema);
  if (levels) return { type: "other", levels, ...common };
  const [only] = presentOptions(schema);
  return { ...(only ? rangeOf(only) : { type: "other" }), ...common };
}

type JsonSchema = Record<string, unknown>;

/** The options of a schema that are not null; undefined (in first place) when there are several. */
function presentOptions(schema: JsonSchema): [JsonSchema | undefined] {
  if (!Array.isArray(schema.anyOf)) return [schema];
  const present = (schema.anyOf as JsonSchema[]).filter((option) => option.type !== "null");
  return [present.length === 1 ? presentOptions(present[0]!)[0] : undefined];
}

/** All values of an enum, a literal, a boolean or a union of these; undefined for anything else. */
function levelsOf(schema: JsonSchema): Level[] | undefined {
  if ("const" in schema) return [schema.const as Level];
  if (Array.isArray(schema.enum)) return (schema.enum as Level[]).filter((value) => value !== null);
  if (schema.type === "boolean") return [false, true];
  if (!Array.isArray(schema.anyOf)) return undefined;
  const options = (schema.anyOf as JsonSchema[]).filter((option) => option.type !== "null").map(levelsOf);
  if (options.some((levels) => levels === undefined)) return undefined;
  return [...new Set(options.flatMap((levels) => levels as Level[]))];
}

/** Bounds that only say how a number is held, not what the researcher allows. */
const FORMAT_LIMITS = new Set([
  ...[Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, 2 ** 31 - 1, 2 ** 32 - 1, 3.4028234663852886e38],
  ...[Number.MIN_SAFE_INTEGER, -Number.MAX_VALUE, -(2 ** 31), -3.4028234663852886e38],
]);

function rangeOf(schema: JsonSchema): Omit<FieldDomain, "omittable"> {
  if (schema.type === "string") return { type: "text" };
  if (schema.type !== "number" && schema.type !== "integer") return { type: "other" };
  const limit = (key: string) => {
    const value = schema[key];
    return typeof value === "number" && !FORMAT_LIMITS.has(value) ? value : undefined;
  };
  const [minimum, maximum] = [limit("minimum"), limit("maximum")];
  const [above, below] = [limit("exclusiveMinimum"), limit("exclusiveMaximum")];
  const low = largest(minimum, above);
  const high = smallest(maximum, below);
  const step = typeof schema.multipleOf === "number" ? schema.multipleOf : undefined;
  return {
    type: schema.type,
    ...(low === undefined ? {} : { low }),
    ...(high === undefined ? {} : { high }),
    ...(above !== undefined && above === low ? { above } : {}),
    ...(below !== undefined && below === high ? { below } : {}),
    ...(step === undefined ? {} : { step }),
  };
}

function largest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function smallest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** JSON Schema cannot say them exactly. */
function bigintBounds(schema: z.core.$ZodType): Pick<FieldDomain, "low" | "high"> {
  let low: number | undefined;
  let high: number | undefined;
  for (const { _zod } of schema._zod.def.checks ?? []) {
    const { check, value, inclusive } = _zod.def as { check: string; value?: unknown; inclusive?: boolean };
    if (typeof value !== "bigint") continue;
    const own = Number(value);
    if (check === "greater_than") low = largest(low, inclusive ? own : own + 1);
    if (check === "less_than") high = smallest(high, inclusive ? own : own - 1);
  }
  return { ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high }) };
}

/** `Lighting power density [W/m2]` → `W/m2`. */
function unitOf(description: unknown): string | undefined {
  return typeof description === "string" ? /\[([^[\]]+)\]\s*$/.exec(description)?.[1] : undefined;
}

import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { ScytheError } from "../errors.ts";

/**
 * Specs are stored as parsed and parsed again when read, so a schema must accept its own output unchanged. A transform
 * cannot be inspected; it is tested with these values.
 */
const PROBES: readonly unknown[] = [
  ...["", "a", " Ab ", "0", "1", "-2.5", "true", "no", "2020-01-31", "2020-01-31T12:00:00Z", "a,b", "x".repeat(40)],
  ...[0, 1, 2, -3, 10, 0.5, -1.25, 1e6, true, false, null, undefined, 3n, new Date(0), [], ["a"], [1], {}],
];

/** True when the schema changes values while parsing: only then must stored values be checked one by one. */
export function rewrites(schema: z.core.$ZodType): boolean {
  return some(schema, (s) => s._zod.def.type === "transform" || isCodec(s) || hasOverwrite(s), new Set());
}

/**
 * @throws ScytheError `invalid_definition` when a field's parsed value does not parse to itself.
 */
export function assertIdempotent(schema: z.core.$ZodObject, where: string): void {
  for (const [name, field] of Object.entries(schema._zod.def.shape)) {
    if (!rewrites(field)) continue;
    for (const probe of PROBES) {
      const first = tryParse(field, probe);
      if (!first.success || parsesToItself(field, first.data)) continue;
      throw new ScytheError(
        "invalid_definition",
        `${where}.${name}: the schema turns ${show(probe)} into ${show(first.data)}, which it does not parse to itself.`,
        {
          hint: "Specs are stored as parsed. Keep the input as written, and convert it inside `run`.",
          details: { field: name },
        },
      );
    }
  }
}

export function parsesToItself(schema: z.core.$ZodType, value: unknown): boolean {
  const again = tryParse(schema, value);
  return again.success && isDeepStrictEqual(again.data, value);
}

/** A user's transform may throw on a probe; that is inconclusive. */
function tryParse(schema: z.core.$ZodType, value: unknown): { success: true; data: unknown } | { success: false } {
  try {
    const result = z.core.safeParse(schema, value);
    return result.success ? { success: true, data: result.data } : { success: false };
  } catch {
    return { success: false };
  }
}

function isCodec(schema: z.core.$ZodType): boolean {
  const def = schema._zod.def as { type: string; reverseTransform?: unknown };
  return def.type === "pipe" && def.reverseTransform !== undefined;
}

function hasOverwrite(schema: z.core.$ZodType): boolean {
  return (schema._zod.def.checks ?? []).some((check) => check._zod.def.check === "overwrite");
}

function some(schema: z.core.$ZodType, test: (s: z.core.$ZodType) => boolean, seen: Set<z.core.$ZodType>): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  if (test(schema)) return true;
  const def = schema._zod.def as unknown as Record<string, unknown>;
  const children = [def.innerType, def.element, def.valueType, def.in, def.out, def.rest];
  if (def.type === "object") children.push(...Object.values(def.shape as object));
  if (def.type === "union") children.push(...(def.options as unknown[]));
  if (def.type === "tuple") children.push(...(def.items as unknown[]));
  if (def.type === "lazy") children.push((schema as z.core.$ZodLazy)._zod.innerType);
  return children.some((child) => child !== undefined && child !== null && some(child as z.core.$ZodType, test, seen));
}

function show(value: unknown): string {
  return typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? String(value));
}

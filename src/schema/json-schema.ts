import { createHash } from "node:crypto";
import { z } from "zod";

/**
 * JSON Schema 2020-12 of a zod schema. Dates are `date-time` strings, bigints are int64 integers (zod throws on both),
 * files are strings of format `uri-reference`.
 * @param io which side of defaults and codecs to describe
 */
export function jsonSchemaOf(schema: z.ZodType, io: "input" | "output" = "output"): Record<string, unknown> {
  const result = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      const def = zodSchema._zod.def as { type: string; format?: string };
      if (def.type === "date") Object.assign(jsonSchema, { type: "string", format: "date-time" });
      if (def.type === "bigint") Object.assign(jsonSchema, { type: "integer", format: "int64" });
      if (def.format === "scythe-file") jsonSchema.format = "uri-reference";
    },
  }) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(result).filter(([key]) => !key.startsWith("~")));
}

/**
 * SHA-256 of a JSON value with sorted object keys: equal schemas have equal hashes, whatever the order of their keys.
 */
export function hashOf(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

import { describe, expect, it } from "vitest";
import { z } from "zod";
import { assertIdempotent, parsesToItself, rewrites } from "./idempotence.ts";

const judge = (schema: z.ZodType) => () => assertIdempotent(z.object({ field: schema }), "study.input");
const isoDate = z.codec(z.string(), z.date(), { decode: (s) => new Date(s), encode: (d) => d.toISOString() });

const ACCEPTED: Record<string, z.ZodType> = {
  trim: z.string().trim(),
  toLowerCase: z.string().toLowerCase(),
  normalize: z.string().normalize(),
  "trim by transform": z.string().transform((s) => s.trim()),
  clamp: z.number().transform((n) => Math.min(1, Math.max(0, n))),
  round: z.number().transform(Math.round).pipe(z.int()),
  "sorted list": z.array(z.number()).transform((all) => [...all].sort((a, b) => a - b)),
  "coerced number": z.coerce.number(),
  "coerced string": z.coerce.string(),
  "coerced boolean": z.coerce.boolean(),
  "coerced date": z.coerce.date(),
  "coerced bigint": z.coerce.bigint(),
  default: z.number().default(3),
  prefault: z.string().trim().prefault(" a "),
  catch: z.number().catch(0),
  "preprocess that takes its own output": z.preprocess((v) => (typeof v === "string" ? Number(v) : v), z.number()),
  "codec that takes its own output": z.codec(z.string(), z.string(), { decode: (s) => s.trim(), encode: (s) => s }),
  "transform that throws on strangers": z
    .any()
    .transform((v) => v.a.b.c)
    .pipe(z.number()),
  "lazy json": z.json(),
};
const REFUSED: Record<string, z.ZodType> = {
  "text to number": z.string().transform(Number),
  "text to number, piped": z.string().transform(Number).pipe(z.number()),
  "number to text": z.number().transform(String),
  stringbool: z.stringbool(),
  "codec to a date": isoDate,
  "growing text": z.string().transform((s) => `${s}!`),
  "growing number": z.number().transform((n) => n + 1),
  negation: z.boolean().transform((b) => !b),
  "inside an object": z.object({ a: z.string().transform((s) => `${s}!`) }).prefault({ a: "x" }),
  "inside an optional": z
    .string()
    .transform((s) => s.length)
    .optional(),
  "inside a union": z.union([z.number(), z.string().transform((s) => `${s}-`)]),
  "inside a lazy": z.lazy(() => z.string().transform((s) => `${s}-`)),
  "overwrite that grows": z.string().overwrite((s) => `${s}.`),
};

describe("a schema whose parsed values parse to themselves is taken:", () => {
  it.each(Object.entries(ACCEPTED))("%s", (_, schema) => {
    expect(judge(schema)).not.toThrow();
  });
});

describe("one whose parsed values do not is refused by name:", () => {
  it.each(Object.entries(REFUSED))("%s", (_, schema) => {
    expect(judge(schema)).toThrow(expect.objectContaining({ code: "invalid_definition", details: { field: "field" } }));
    expect(judge(schema)).toThrow(
      /^study\.input\.field: the schema turns .* into .*, which it does not parse to itself/,
    );
  });
});

it("only schemas that rewrite need their values parsed again", () => {
  expect(rewrites(z.object({ a: z.number().min(1), b: z.enum(["x"]).default("x"), c: z.json() }))).toBe(false);
  expect(rewrites(z.object({ a: z.array(z.object({ b: z.string().trim() })) }))).toBe(true);
  expect(rewrites(z.object({ a: z.record(z.string(), z.tuple([z.number(), z.stringbool()])) }))).toBe(true);
});

it("values are compared deeply", () => {
  const schema = z.object({ a: z.array(z.string().trim()), d: z.date() });
  expect(parsesToItself(schema, { a: ["x"], d: new Date(0) })).toBe(true);
  expect(parsesToItself(schema, { a: [" x"], d: new Date(0) })).toBe(false);
  expect(parsesToItself(schema, { a: 3 })).toBe(false);
});

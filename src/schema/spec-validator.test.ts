import { describe, expect, it } from "vitest";
import { z } from "zod";
import { columnsOf } from "./columns.ts";
import { EMPTY, makeSpecValidator } from "./spec-validator.ts";

const check = (shape: z.ZodRawShape, value: unknown) => {
  const schema = z.strictObject(shape);
  const checked = makeSpecValidator(schema, columnsOf(schema, "input"))(value);
  return checked.ok ? checked.value : checked.issues.map(({ field, value, rule }) => `${field} = ${value}: ${rule}`);
};

describe("what is not given", () => {
  it("is refused where z.coerce alone would make a value of it", () => {
    expect(check({ a: z.coerce.string() }, {})).toEqual(["a = undefined: is missing"]);
    expect(check({ a: z.coerce.boolean() }, { a: undefined })).toEqual(["a = undefined: is missing"]);
    expect(check({ a: z.object({ b: z.coerce.string() }) }, { a: {} })).toEqual(["a.b = undefined: is missing"]);
  });

  it("is refused by a union that z.coerce is part of", () => {
    const either = z.union([z.literal("auto"), z.coerce.number()]);
    const missing = ["a = null: is missing: null means no value"];
    expect(check({ a: either }, { a: null })).toEqual(missing);
    expect(check({ a: either.optional() }, { a: null })).toEqual({});
  });

  it("is what the schema makes of nothing, where it says so", () => {
    expect(check({ a: z.coerce.number().catch(3) }, { a: null })).toEqual({ a: 3 });
    expect(check({ a: z.coerce.string().prefault("x") }, { a: EMPTY })).toEqual({ a: "x" });
    expect(check({ a: z.preprocess((v) => v ?? 7, z.number()) }, { a: EMPTY })).toEqual({ a: 7 });
    expect(check({ a: z.preprocess((v) => (v === null ? -1 : v), z.number()) }, { a: null })).toEqual({ a: -1 });
    expect(check({ a: z.coerce.number().nullish() }, { a: null })).toEqual({ a: null });
  });

  it("in a record or a tuple cannot be left out", () => {
    expect(check({ a: z.record(z.string(), z.coerce.number()) }, { a: { b: null } })).toEqual([
      "a.b = null: must have a value here, not null",
    ]);
    expect(check({ a: z.tuple([z.coerce.number(), z.number()]) }, { a: [null, 1] })).toEqual([
      "a.0 = null: must have a value here, not null",
    ]);
  });
});

it("a 64-bit integer becomes a number where one holds it", () => {
  expect(check({ a: z.coerce.number() }, { a: 7n })).toEqual({ a: 7 });
  const refused = [expect.stringMatching(/^a = 1152921504606846977n?: has more digits than a number can hold/)];
  expect(check({ a: z.coerce.number() }, { a: 2n ** 60n + 1n })).toEqual(refused);
});

it("what the caller gave stays as it is", () => {
  const given = { a: null, b: "5", c: { d: "2024-01-31" } };
  const shape = { a: z.number().optional(), b: z.coerce.number(), c: z.object({ d: z.date() }) };
  expect(check(shape, given)).toEqual({ b: 5, c: { d: new Date("2024-01-31") } });
  expect(given).toEqual({ a: null, b: "5", c: { d: "2024-01-31" } });
});

it("a schema that holds itself is read to any depth, and no deeper than there is room for", () => {
  const node: z.ZodType = z.lazy(() => z.object({ n: z.coerce.number(), next: node.optional() }));
  expect(check({ a: node }, { a: { n: "1", next: { n: "2", next: null } } })).toEqual({ a: { n: 1, next: { n: 2 } } });
  let deep: unknown = { n: 1 };
  for (let i = 0; i < 100_000; i++) deep = { n: 1, next: deep };
  expect(check({ a: node }, { a: deep })).toEqual([expect.stringContaining("(the whole spec)")]);
});

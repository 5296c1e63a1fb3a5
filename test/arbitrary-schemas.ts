import fc from "fast-check";
import { z } from "zod";

/** A schema, values that it holds, values that something may refuse, and what a value is when it is read again. */
export interface Sample {
  schema: z.ZodType;
  plain: fc.Arbitrary<unknown>;
  odd: fc.Arbitrary<unknown>;
  read: (value: unknown) => unknown;
}

const same = (value: unknown) => value;
const sample = (schema: z.ZodType, plain: fc.Arbitrary<unknown>, odd = plain, read: Sample["read"] = same): Sample => ({
  schema,
  plain,
  odd,
  read,
});
const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const years = (from: string, to: string) => ({ min: new Date(from), max: new Date(to), noInvalidDate: true });

const NUMBER = sample(
  z.number(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.oneof(fc.double(), fc.constantFrom(-0, 2 ** 63, 5e-324, Number.MAX_VALUE)),
);
const BIGINT = sample(z.bigint(), fc.bigInt(INT64), fc.constantFrom(INT64.min - 1n, INT64.max + 1n, INT64.min));
const TEXT = sample(
  z.string(),
  fc.string({ unit: "grapheme" }),
  fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("a\0b", "\ud800", "null", "\\u0000", "-0", "it's \"\\")),
);
const DATE = sample(
  z.date(),
  fc.date(years("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z")),
  fc.oneof(fc.date(), fc.constantFrom(new Date(8.64e15), new Date(-8.64e15), new Date("0000-06-01"))),
);
const INT = sample(z.int(), fc.maxSafeInteger(), fc.constantFrom(2 ** 53, -0, 0.5), (value) => (value as number) + 0);
const BOOLEAN = sample(z.boolean(), fc.boolean());
const CHOICE = sample(z.enum(["a", "it's", "é"]), fc.constantFrom("a", "it's", "é"), fc.constant("other"));
const json = (value: unknown) => (value === undefined ? value : JSON.parse(JSON.stringify(value)));
const ANY_JSON = sample(
  z.record(z.string(), z.json()),
  fc.dictionary(
    fc.string().filter((key) => key !== "__proto__"),
    fc.jsonValue(),
  ),
  fc.constantFrom({ "\ud800": 1 }, { a: "\udc00" }, { a: -0 }),
  json,
);
const UNION = sample(
  z.union([z.number(), z.literal("auto")]),
  fc.oneof(fc.integer(), fc.constant("auto")),
  fc.constant(-0),
  json,
);
const LEAVES = [NUMBER, INT, BIGINT, TEXT, DATE, BOOLEAN, CHOICE, ANY_JSON, UNION];
const NAMES = [
  "a",
  "b c",
  "it's",
  '"q"',
  "constructor",
  "toString",
  "x.y",
  "é",
  "0",
  "sort_index",
  "*",
  "/",
  "~",
  "a\\b",
];

function listOf(element: Sample): Sample {
  const nullable = sample(element.schema.nullable(), fc.option(element.plain), fc.option(element.odd), (value) =>
    value === null ? null : element.read(value),
  );
  const list = (arbitrary: fc.Arbitrary<unknown>) => fc.array(arbitrary, { maxLength: 4 });
  const read = (value: unknown) => (value as unknown[]).map(nullable.read);
  return sample(z.array(nullable.schema), list(nullable.plain), list(nullable.odd), read);
}

type Presence = "required" | "nullable" | "optional";

function objectOf(fields: readonly (readonly [name: string, Sample, Presence])[]): Sample {
  const shape = Object.fromEntries(
    fields.map(([name, { schema }, presence]) => [name, presence === "required" ? schema : schema[presence]()]),
  );
  const values = (kind: "plain" | "odd") =>
    fc.record(
      Object.fromEntries(
        fields.map(([name, own, presence]) => [
          name,
          presence === "required"
            ? own[kind]
            : fc.option(own[kind], { nil: presence === "nullable" ? null : undefined }),
        ]),
      ),
    );
  const read = (value: unknown) =>
    Object.fromEntries(
      fields.flatMap(([name, own]) => {
        const inner = (value as Record<string, unknown>)[name];
        return inner === undefined ? [] : [[name, inner === null ? null : own.read(inner)]];
      }),
    );
  return sample(z.object(shape), values("plain"), values("odd"), read);
}

/** Schemas of all kinds, in each other to some depth. */
export const { value: anySample } = fc.letrec<{ value: Sample; leaf: Sample; list: Sample; object: Sample }>((tie) => ({
  value: fc.oneof({ depthSize: "small", withCrossShrink: true }, tie("leaf"), tie("list"), tie("object")),
  leaf: fc.constantFrom(...LEAVES),
  list: tie("value").map(listOf),
  object: fc
    .uniqueArray(
      fc.tuple(fc.constantFrom(...NAMES), tie("value"), fc.constantFrom<Presence>("required", "nullable", "optional")),
      { selector: ([name]) => name.toLowerCase(), minLength: 1, maxLength: 4 },
    )
    // what every object has is never missing: zod takes it for a value
    .map((fields) => objectOf(fields.map(([n, s, p]) => [n, s, n in Object.prototype ? "required" : p]))),
}));

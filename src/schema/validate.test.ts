import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { columnsOf } from "./columns.ts";
import { fileRef, hasScheme, isFileRef } from "./file-ref.ts";
import { makeValidator, preview } from "./validate.ts";

const check = (schema: z.ZodObject, value: unknown) => makeValidator(schema, columnsOf(schema, "input"))(value);
const strict = (shape: z.core.$ZodLooseShape) => z.strictObject(shape);
/** `field = value: rule` of each issue; empty when the value is valid. */
const issues = (schema: z.ZodObject, value: unknown): string[] => {
  const checked = check(schema, value);
  return checked.ok ? [] : checked.issues.map(({ field, value: own, rule }) => `${field} = ${own}: ${rule}`);
};

describe("the issues of a spec", () => {
  it("name an unknown field, and every one of them", () => {
    expect(issues(strict({ a: z.number() }), { a: 1, b: 2, c: "x" })).toEqual([
      "b = 2: is not a field of the schema",
      'c = "x": is not a field of the schema',
    ]);
    expect(issues(strict({ a: strict({ b: z.number() }) }), { a: { b: 1, c: 2 } })).toEqual([
      "a.c = 2: is not a field of the schema",
    ]);
  });

  it("name a missing field, and what it should be", () => {
    const [issue] = issues(strict({ a: z.number(), b: z.string() }), { b: "x" });
    expect(issue).toMatch(/^a = undefined: is missing \(.*expected number/);
    expect(issues(strict({ a: strict({ b: z.number() }) }), { a: {} })[0]).toMatch(/^a\.b = undefined: is missing/);
  });

  it("tell of all fields at once, with their values", () => {
    const found = issues(strict({ a: z.number().min(0), b: z.enum(["x", "y"]) }), { a: -1, b: "z" });
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(/^a = -1: Too small/);
    expect(found[1]).toMatch(/^b = "z": Invalid option/);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, "1", null, true])(
    "refuse %s as a number",
    (value) => {
      for (const schema of [z.number(), z.int(), z.union([z.int(), z.number()])]) {
        expect(issues(strict({ a: schema }), { a: value })[0]).toContain(`a = ${preview(value)}: `);
      }
    },
  );

  it("refuse whole numbers that a double does not hold exactly", () => {
    expect(issues(strict({ a: z.int() }), { a: Number.MAX_SAFE_INTEGER })).toEqual([]);
    expect(issues(strict({ a: z.int() }), { a: Number.MAX_SAFE_INTEGER + 1 })).toHaveLength(1);
  });

  it("refuse bigints that 64 bits do not hold, at any depth", () => {
    const schema = strict({ a: z.bigint(), b: z.array(z.bigint()), c: strict({ d: z.bigint().nullish() }) });
    const value = (a: bigint, b: bigint, d: bigint | null) => ({ a, b: [0n, b], c: { d } });
    expect(issues(schema, value(2n ** 63n - 1n, -(2n ** 63n), null))).toEqual([]);
    expect(issues(schema, value(2n ** 63n, 0n, 0n))[0]).toMatch(/^a = 9223372036854775808n: must fit a signed 64-bit/);
    expect(issues(schema, value(0n, -(2n ** 63n) - 1n, 0n))[0]).toContain("must fit a signed 64-bit");
    expect(issues(schema, value(0n, 0n, 2n ** 63n))[0]).toContain("d: must fit a signed 64-bit");
  });

  it("refuse an invalid date", () => {
    expect(issues(strict({ a: z.date() }), { a: new Date("nonsense") })[0]).toMatch(/^a = Invalid Date: /);
    expect(issues(strict({ a: z.date() }), { a: new Date(8.64e15) })).toEqual([]);
  });

  it("refuse half a surrogate pair wherever text can be, and nothing else", () => {
    const shapes: [z.ZodType, (text: string) => unknown][] = [
      [z.string(), (text) => text],
      [z.array(z.string()), (text) => ["fine", text]],
      [strict({ b: z.string().optional() }), (b) => ({ b })],
      [z.record(z.string(), z.string()), (text) => ({ key: text })],
      [z.record(z.string(), z.number()), (text) => ({ [text]: 1 })],
      [z.array(z.array(strict({ b: z.string() }))), (b) => [[{ b }]]],
    ];
    for (const [schema, wrap] of shapes) {
      expect(issues(strict({ a: schema }), { a: wrap("half \ud83d") })[0]).toContain("well-formed Unicode");
      expect(issues(strict({ a: schema }), { a: wrap("\udc00 half") })[0]).toContain("well-formed Unicode");
      fc.assert(
        fc.property(fc.string({ unit: "binary" }), (text) => {
          expect(issues(strict({ a: schema }), { a: wrap(text) })).toEqual([]);
        }),
        { numRuns: 30 },
      );
    }
  });

  it("are none for ten megabytes of text", () => {
    expect(issues(strict({ a: z.string() }), { a: "ü".repeat(5_000_000) })).toEqual([]);
  });

  it.each([null, undefined, 3, "text", [1], () => 1])("of %s are one, of the whole", (value) => {
    const found = issues(strict({ a: z.number() }), value);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^\(the whole spec\) = .*: Invalid input: expected object/);
  });

  it("tell of what is no JSON in a column of JSON", () => {
    const schema = strict({ a: z.record(z.string(), z.any()) });
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(issues(schema, { a: { deep: [1, "x", null] } })).toEqual([]);
    expect(issues(schema, { a: { big: 1n } })[0]).toContain("must be plain JSON");
    expect(issues(schema, { a: loop })[0]).toContain("must be plain JSON");
  });

  it("tell when the schema's own function throws or is asynchronous", () => {
    const throwing = strict({
      a: z
        .unknown()
        .transform((v) => (v as string).trim())
        .pipe(z.string()),
    });
    expect(issues(throwing, { a: 3 })[0]).toMatch(/makes the schema itself fail: .*trim is not a function/);
    const slow = strict({ a: z.string().refine(async () => true) });
    expect(issues(slow, { a: "x" })[0]).toContain("makes the schema itself fail");
  });
});

describe("a valid spec", () => {
  it("comes as the schema's output, without the columns that Scythe adds", () => {
    const schema = strict({ a: z.string().trim(), b: z.number().default(7), c: z.number().optional() });
    const reserved = {
      experiment_id: "e",
      sort_index: 4,
      workflow_run_id: null,
      root_workflow_run_id: "r",
      storage_settings: {},
    };
    const given = { ...reserved, a: " x " };
    expect(check(schema, given)).toEqual({ ok: true, value: { a: "x", b: 7 } });
    expect(given).toEqual({ ...reserved, a: " x " });
  });

  it("keeps extra fields of a loose schema that are plain, and refuses the others by name", () => {
    const schema = z.looseObject({ a: z.number() });
    const extra = { text: "x", number: 1.5, flag: false, none: null, missing: undefined };
    expect(check(schema, { a: 1, ...extra })).toEqual({ ok: true, value: { a: 1, ...extra } });
    for (const bad of [[1], { b: 1 }, new Date(0), 3n, Number.NaN, "\ud800"]) {
      expect(issues(schema, { a: 1, bad })[0], String(bad)).toMatch(/^bad = /);
    }
  });
});

describe("preview", () => {
  it("is one short line for anything", () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }), (value) => {
        const line = preview(value);
        expect(line.length).toBeLessThanOrEqual(80);
        expect(line).not.toMatch(/\n/);
      }),
    );
    expect(preview("x".repeat(1e6))).toMatch(/^"x{70,}…$/);
    expect([preview(-0), preview(3n), preview(undefined), preview(new Date(0))]).toEqual([
      "-0",
      "3n",
      "undefined",
      "1970-01-01T00:00:00.000Z",
    ]);
  });
});

describe("file references", () => {
  it("are paths and URIs, not empty, of sane length", () => {
    for (const value of [
      "a",
      "./weather/x.epw",
      "C:\\weather\\x.epw",
      "s3://b/k",
      "https://example.org/x",
      "ü".repeat(4096),
    ]) {
      expect(fileRef().safeParse(value).success, value).toBe(true);
    }
    for (const value of ["", "a\0b", "x".repeat(4097), 3, null]) expect(fileRef().safeParse(value).success).toBe(false);
    expect(isFileRef(fileRef().describe("x"))).toBe(true);
    expect(isFileRef(z.string())).toBe(false);
  });

  it("have a scheme of two letters or more; one letter is a drive", () => {
    for (const value of ["s3://a", "https://a", "file:///a", "git+ssh://a"]) expect(hasScheme(value), value).toBe(true);
    for (const value of ["C:\\a", "c:/a", "a/b", "/a", "a:b", "://a", "1s://a"])
      expect(hasScheme(value), value).toBe(false);
  });
});

it("refuses dates inside lists and objects that text has no four digits for", () => {
  const schema = z.object({ at: z.date(), days: z.array(z.object({ day: z.date() })) });
  const validate = makeValidator(schema, columnsOf(schema, "test"));
  const late = new Date("+010000-01-01T00:00:00Z");
  expect(validate({ at: late, days: [{ day: new Date(0) }] }).ok).toBe(true);
  for (const day of [late, new Date("0000-12-31")]) {
    expect(validate({ at: late, days: [{ day }] })).toMatchObject({ ok: false, issues: [{ field: "days" }] });
  }
});

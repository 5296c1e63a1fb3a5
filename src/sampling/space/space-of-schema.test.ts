import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ScytheError } from "../../errors.ts";
import { fileRef } from "../../schema/file-ref.ts";
import { discrete, files, loguniform, normal } from "./distributions.ts";
import { samplerOf } from "./space.ts";
import { type SpaceRequest, spaceOf } from "./space-of-schema.ts";

const of = (shape: z.ZodRawShape, request?: SpaceRequest) =>
  Object.fromEntries(spaceOf(z.object(shape), request).space.map(({ name, ...field }) => [name, field]));
const errorOf = (shape: z.ZodRawShape, request?: SpaceRequest): ScytheError => {
  try {
    of(shape, request);
  } catch (error) {
    if (error instanceof ScytheError) return error;
    throw error;
  }
  return expect.unreachable();
};
const file = fileRef().describe("Weather [.epw]");

describe("the space that a schema describes", () => {
  it("has numbers between their bounds, with their units", () => {
    expect(
      of({
        r: z.number().min(0).max(15).describe("Wall R-value [m2K/W]"),
        storeys: z.int().min(1).max(4),
        old: z.number().int().gte(3).lte(5),
        share: z.number().positive().lt(1),
        tenths: z.number().min(0).max(1).multipleOf(0.1),
        big: z.bigint().gt(0n).max(9n),
        typed: z.coerce.number().min(0).max(1),
        maybe: z.number().min(0).max(1).nullable().describe("Share [-]"),
        usual: z.number().min(0).max(1).default(0.5),
        narrow: z.number().min(0).max(9).gt(2).max(5),
        one: z.number().min(4).max(4),
      }),
    ).toEqual({
      r: { type: "number", distribution: "uniform:0,15", unit: "m2K/W" },
      storeys: { type: "integer", distribution: "uniform:1,4" },
      old: { type: "integer", distribution: "uniform:3,5" },
      share: { type: "number", distribution: "uniform:0,1", above: 0, below: 1 },
      tenths: { type: "number", distribution: "uniform:0,1", step: 0.1 },
      big: { type: "bigint", distribution: "uniform:1,9" },
      typed: { type: "number", distribution: "uniform:0,1" },
      maybe: { type: "number", distribution: "uniform:0,1", unit: "-" },
      usual: { type: "number", distribution: "uniform:0,1" },
      narrow: { type: "number", distribution: "uniform:2,5", above: 2 },
      one: { type: "number", distribution: "fixed:4" },
    });
  });

  it("has the values of enums, booleans, literals and unions of these as levels", () => {
    const distributions = Object.entries(
      of({
        mode: z.enum(["a", "it's, b"]).optional(),
        code: z.enum({ one: 1, two: 2 }),
        on: z.boolean(),
        sizes: z.literal([1, 2, 5]),
        mixed: z.union([z.literal(1), z.literal("auto"), z.boolean()]).nullable(),
        only: z.literal("x"),
      }),
    ).map(([name, field]) => [name, field.distribution]);
    expect(distributions).toEqual([
      ["mode", 'discrete:a,"it\'s, b"'],
      ["code", "discrete:1,2"],
      ["on", "discrete:false,true"],
      ["sizes", "discrete:1,2,5"],
      ["mixed", "discrete:1,auto,false,true"],
      ["only", "fixed:x"],
    ]);
  });

  it("takes what is said of a field, in code or as text, and leaves out what may be left out", () => {
    const shape = {
      r: z.number().min(0).max(15),
      free: z.number(),
      code: z.string(),
      number: z.number(),
      weather: file,
      sizing: fileRef().optional(),
      note: z.string().default("none"),
      other: z.number().optional(),
    };
    const space = {
      r: loguniform(0.5, 15),
      free: "normal:0,1",
      code: "discrete:1,007,b",
      number: discrete(["1", "2.50"]),
      weather: files(["a.epw", "b.epw"]),
    };
    expect(of(shape, { space, fixed: { other: 3 } })).toEqual({
      r: { type: "number", distribution: "loguniform:0.5,15" },
      free: { type: "number", distribution: "normal:0,1" },
      code: { type: "value", distribution: 'discrete:"1",007,b' },
      number: { type: "number", distribution: "discrete:1,2.5" },
      weather: { type: "value", distribution: "files:a.epw,b.epw", unit: ".epw" },
      other: { type: "number", distribution: "fixed:3" },
    });
    expect(of({ mode: z.enum(["a", "b"]).optional() }, { fixed: { mode: null } })).toEqual({});
    expect(of({ when: z.date() }, { fixed: { when: "2024-01-31" } }).when?.distribution).toBe("fixed:2024-01-31");
  });

  it("cuts a normal distribution off at the field's bounds, and says so", () => {
    const reading = (field: z.ZodNumber) => spaceOf(z.object({ x: field }), { space: { x: normal(10, 2) } });
    expect(reading(z.number().min(0).max(15))).toEqual({
      space: [{ name: "x", type: "number", distribution: "truncnormal:10,2,0,15" }],
      notices: ["x: normal:10,2 is cut off at the field's bounds (from 0 up to 15)."],
    });
    const [upward] = reading(z.number().positive()).space;
    expect(upward).toMatchObject({ distribution: "truncnormal:10,2,0,28", above: 0 });
    expect(samplerOf(upward!).at(0)).toBe(Number.MIN_VALUE);
    expect(reading(z.number())).toMatchObject({ space: [{ distribution: "normal:10,2" }], notices: [] });
  });
});

describe("a space is refused", () => {
  it("when fields have no bounds: all are named, with the lines to add", () => {
    const error = errorOf({
      a: z.number().min(2),
      b: z.string(),
      c: file,
      d: z.int(),
      e: z.boolean(),
      f: z.number().max(-3),
    });
    expect(error.message).toBe(
      "The schema does not say how to spread every field: a has no upper bound; b is text without a list of values; " +
        "c is a file; d has no bounds; f has no lower bound",
    );
    expect(error.hint).toContain("--space a=uniform:2,4\n");
    expect(error.hint).toContain("--space b=discrete:a,b,c\n");
    expect(error.hint).toContain("--space c=files:first,second\n");
    expect(error.hint).toContain("--space f=uniform:-4,-3\n");
    expect(error.hint).toContain('c: files(["first", "second"])');
    expect(error.details).toEqual({ fields: ["a", "b", "c", "d", "f"] });
  });

  it.each<[string, z.ZodRawShape, SpaceRequest, RegExp]>([
    [
      "an unknown field",
      { r_value: z.boolean() },
      { space: { r_vale: "fixed:1" } },
      /no input "r_vale". Did you mean "r_value"/,
    ],
    ["an unknown fixed field", { r: z.boolean() }, { fixed: { q: 1 } }, /no input "q"/],
    ["both", { r: z.boolean() }, { fixed: { r: true }, space: { r: "fixed:true" } }, /r has both/],
    ["contradictory bounds", { r: z.number().min(5).max(1) }, {}, /r cannot have any value: .* 5 and 1/],
    ["excluded equal bounds", { r: z.number().gt(5).max(5) }, {}, /r cannot have any value/],
    ["no whole number", { r: z.int().gt(5).lt(6) }, {}, /r: uniform:5,6 holds no whole number/],
    [
      "beyond the bounds",
      { r: z.number().min(0).max(1) },
      { space: { r: "uniform:0,2" } },
      /from 0 up to 1 in the schema, and uniform:0,2 leaves/,
    ],
    [
      "an unknown distribution",
      { r: z.number() },
      { space: { r: "normle:0,2" } },
      /^r: There is no distribution "normle". Did you mean "normal"/,
    ],
    [
      "a wrong object",
      { r: z.number() },
      { space: { r: { kind: "uniform", low: 3, high: 1 } } },
      /^r: uniform\(3, 1\)/,
    ],
    ["an unknown object", { r: z.number() }, { space: { r: { kind: "gauss" } as never } }, /no distribution "gauss"/],
    ["a value that the schema refuses", { r: z.enum(["a", "b"]) }, { space: { r: "discrete:a,c" } }, /r cannot be "c"/],
    ["a number for text", { r: z.enum(["a", "b"]) }, { space: { r: "uniform:0,1" } }, /r is no number/],
    ["files for a number", { r: z.number() }, { space: { r: "files:a" } }, /r is no file/],
    ["a missing value", { r: z.number() }, { fixed: { r: null } }, /r cannot be null/],
  ])("for %s", (_, shape, request, message) => {
    const error = errorOf(shape, request);
    expect(error.message).toMatch(message);
    expect(error.code).toBe("invalid_input");
    expect(error.hint).toBeTruthy();
  });
});

import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineExperiment, table } from "../../experiment/define.ts";
import { FeatureText } from "./feature-text.ts";

const textOf = (features: unknown, ...before: unknown[]) => {
  let given: unknown;
  const experiment = defineExperiment({
    name: "featured",
    input: z.object({ n: z.number(), nested: z.array(z.number()) }),
    output: z.object({ Y: z.number() }),
    tables: { steps: table(z.object({ Step: z.number() })) },
    computedFeatures: () => given as never,
    run: () => ({ Y: 1, tables: { steps: [] } }),
  });
  const extra = { name: "extra", type: { kind: "string" as const }, nullable: true, optional: true, file: false };
  const text = new FeatureText(experiment, [extra]);
  for (const earlier of before) {
    given = earlier;
    text.of({});
  }
  given = features;
  return text.of({});
};

describe("computed features", () => {
  it("are JSON text, numbers as they are", () => {
    const text = textOf({ "*": 2 ** 63, zero: -0, "it's": 'a"\0b', large: 1e300, yes: true });
    expect(text).toBe(`{"*":9223372036854776000,"zero":-0.0,"it's":"a\\"\\u0000b","large":1e+300,"yes":true}`);
  });

  it.each([
    ["an output", { y: 1 }, /"y", which is already an output/],
    ["a table's column", { step: 1 }, /"step", which is already a column of table steps/],
    ["an input", { N: 1 }, /"N", which is already an input field/],
    ["an input that is no column", { nested: 1 }, /"nested", which is already an input field/],
    ["an extra field", { EXTRA: 1 }, /"EXTRA", which is already an input field/],
    ["a reserved column", { Sort_Index: 1 }, /which is a reserved column/],
    ["one of Scythe's own", { __x: 1 }, /which is a reserved column/],
    ["nothing", { "": 1 }, /which cannot be a column's name/],
    ["half of a surrogate pair", { "\ud800": 1 }, /which cannot be a column's name/],
    ["another, but for case", { a: 1, A: 2 }, /a and A, which differ only in case/],
  ])("may not be named like %s", (_, features, message) => {
    expect(textOf(features)).toMatchObject({ kind: "invalid_output", message: expect.stringMatching(message) });
  });

  it("may be named otherwise by another spec, not by the same", () => {
    expect(textOf({ A: 1 }, { a: 1 })).toBe('{"A":1}');
    expect(textOf({ A: 1, a: 2 }, { a: 1 }, { A: 1 })).toMatchObject({ kind: "invalid_output" });
  });

  it.each([
    ["half of a surrogate pair", { a: "\ud800" }],
    ["NaN", { a: Number.NaN }],
    ["a date", { a: new Date(0) }],
    ["nothing", { a: undefined }],
    ["a date in place of features", new Date(0)],
    ["a list in place of features", [1]],
    ["a promise", Promise.resolve({ a: 1 })],
    ["too many", Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`f${i}`, i]))],
  ])("may not be %s", (_, features) => {
    expect(textOf(features)).toMatchObject({ kind: "invalid_output", name: "InvalidFeature" });
  });
});

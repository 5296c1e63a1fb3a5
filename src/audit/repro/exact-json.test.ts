import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactJson, parseExactJson } from "./exact-json.ts";

describe("exact JSON", () => {
  it("gives back what JSON alone would lose", () => {
    const value = {
      big: 2n ** 62n,
      nan: Number.NaN,
      infinite: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      zero: -0,
      when: new Date("2026-01-31T12:00:00.123Z"),
      none: null,
      tagged: { $bigint: "not one of ours" },
      nested: { $object: { $number: "x" } },
    };
    const back = parseExactJson(exactJson(value)) as typeof value;
    expect(back).toStrictEqual(value);
    expect(Object.is(back.zero, -0)).toBe(true);
  });

  it("gives back any value of these kinds", () => {
    const leaf = fc.oneof(fc.double(), fc.bigInt(), fc.string(), fc.boolean(), fc.constant(null), fc.date());
    const key = fc.oneof(fc.constantFrom("$bigint", "$number", "$date", "$object"), fc.string());
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ depthSize: "small" }, leaf, fc.array(tie("any")), fc.dictionary(key, tie("any"))),
    })).any;
    fc.assert(
      fc.property(value, (given) => {
        const back = parseExactJson(exactJson(given));
        expect(exactJson(back)).toBe(exactJson(given));
        expect(back).toEqual(given);
      }),
    );
  });

  it("reads a date that was typed as every other is read", () => {
    const typed = (text: string) => Number(parseExactJson(`{"$date": "${text}"}`));
    expect(typed("2024-01-31T12:00")).toBe(Date.UTC(2024, 0, 31, 12)); // wherever the machine is
    expect(["2024-02-30", "01/02/2024", "1706700000"].map(typed)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});

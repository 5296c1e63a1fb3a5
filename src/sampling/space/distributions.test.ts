import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isScytheError } from "../../errors.ts";
import { distributionText, parseDistribution } from "./distribution-text.ts";
import {
  beta,
  type Distribution,
  discrete,
  files,
  fixed,
  isContinuous,
  loguniform,
  normal,
  triangular,
  truncatedNormal,
  uniform,
} from "./distributions.ts";
import { nextAbove, quantileOf, quantilesOf } from "./quantiles.ts";
import { samplerOf } from "./space.ts";

const reals = fc.double({ min: -1e12, max: 1e12, noNaN: true });
const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
const ordered = fc.tuple(reals, reals).map(([a, b]) => (a < b ? [a, b] : b < a ? [b, a] : [a, a + Math.abs(a) + 1]) as [number, number]); // biome-ignore format: one thought
const shape = fc.double({ min: 0.05, max: 500, noNaN: true });
const continuous = fc.oneof(
  ordered.map(([low, high]) => uniform(low, high)),
  fc.tuple(positive, positive).map(([low, factor]) => loguniform(low, low * (1 + factor))),
  fc.tuple(reals, positive).map(([mean, sd]) => normal(mean, sd)),
  fc
    .tuple(reals, positive, fc.double({ min: -30, max: 30, noNaN: true }), positive)
    .map(([mean, narrow, from, width]) => {
      const sd = Math.max(narrow, Math.abs(mean) * 1e-9); // doubles near the mean tell standard deviations apart
      const low = mean + from * sd;
      return truncatedNormal(mean, sd, low, Math.max(low + width * sd, nextAbove(low)));
    }),
  fc
    .tuple(ordered, fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([[low, high], share]) => triangular(low, Math.min(high, low + share * (high - low)), high)),
  fc.tuple(shape, shape, ordered).map(([a, b, [low, high]]) => beta(a, b, low, high)),
);
const level = fc.oneof(
  fc.string(),
  fc.constantFrom("1", "007", "1.0", "true", "null", " a", "a=b", 'a"b', "[x", "1e3", "-0", "a, b", "a:b", "é"),
  reals.map((value) => value + 0),
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value))),
);
const levels = fc.uniqueArray(level, { minLength: 1, maxLength: 8, selector: (value) => JSON.stringify(value) });
const lists = fc.oneof(
  levels.map((values) => discrete(values)),
  levels.map((values) =>
    discrete(
      values,
      values.map((_, i) => (2 * (i + 1)) / (values.length * (values.length + 1))),
    ),
  ),
  level.map(fixed),
  fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 5 }).map(files),
);

const units = fc.oneof(
  fc.constantFrom(0, 1, 2 ** -53, 1 - 2 ** -53, 0.5, Number.MIN_VALUE),
  fc.double({ min: 0, max: 1, noNaN: true }),
);

describe("a distribution's text", () => {
  it("reads back as the same distribution", () => {
    fc.assert(
      fc.property(fc.oneof(continuous, lists), (distribution: Distribution) => {
        expect(parseDistribution(distributionText(distribution))).toEqual(distribution);
      }),
      { numRuns: 1000 },
    );
  });

  it("is short where it can be", () => {
    expect(distributionText(loguniform(0.5, 15))).toBe("loguniform:0.5,15");
    expect(distributionText(discrete({ none: 0.5, wet_bulb: 0.5 }))).toBe("discrete:none=0.5,wet_bulb=0.5");
    expect(distributionText(discrete(["a", "1", 1, "a, b"]))).toBe('discrete:a,"1",1,"a, b"');
    expect(parseDistribution(" beta: 2, 5 ")).toEqual(beta(2, 5, 0, 1));
    expect(parseDistribution("uniform:.5,1e1")).toEqual(uniform(0.5, 10));
    expect(parseDistribution("files:C:\\w\\a.epw,https://x.org/b.epw?c")).toEqual(
      files(["C:\\w\\a.epw", "https://x.org/b.epw?c"]),
    );
  });

  it.each([
    ["loguniforn:1,2", /no distribution "loguniforn". Did you mean "loguniform"\?/],
    ["", /no distribution ""/],
    ["uniform", /does not say what uniform needs/],
    ["uniform:1", /does not say what uniform needs/],
    ["uniform:1,2,3", /does not say what uniform needs/],
    ["uniform:1,b", /"b" is no number/],
    ["uniform:1,", /cannot be read from ""/],
    ["uniform:1=2,3", /A weight \(=2\)/],
    ["uniform:2,1", /lower bound is above/],
    ["uniform:2,2", /nothing between its bounds/],
    ["uniform:0,1e999", /Infinity is no finite number/],
    ["loguniform:0,2", /numbers above 0/],
    ["normal:1,0", /standard deviation must be a finite number above 0/],
    ["truncnormal:0,1,40,41", /more than 37 standard deviations/],
    ["triangular:0,5,4", /mode lies outside/],
    ["beta:0,1", /shape must be/],
    ["discrete:a=0.5,b=0.4", /weights sum to 0.9, not to 1/],
    ["discrete:a=0.5,b", /2 values with 1 weights/],
    ["discrete:a=-1,b=2", /weight must be/],
    ["discrete:a,b,a", /"a" is there twice/],
    ["discrete:a,,b", /cannot be read from ",b"/],
    ['discrete:"a', /cannot be read/],
    ["files:a,a", /a path is there twice/],
    ["fixed:", /does not say what fixed needs/],
  ])("%j is refused with what to do", (text, message) => {
    try {
      parseDistribution(text);
      expect.unreachable();
    } catch (error) {
      expect(isScytheError(error) && error.code).toBe("invalid_input");
      expect((error as Error).message).toMatch(message);
      expect((error as { hint?: string }).hint).toBeTruthy();
    }
  });
});

describe("quantiles", () => {
  it("of a triangle whose mode is next to a bound rise through the mode", () => {
    const mode = 4.0648750041294486e-162;
    const quantile = quantileOf({ kind: "triangular", low: 0, mode, high: 1 });
    expect(quantile(6.077255085818535e-163)).toBeGreaterThan(0);
    expect(quantile(6.077255085818535e-163)).toBeLessThan(mode);
    expect(quantile(mode)).toBeGreaterThanOrEqual(mode);
  });

  it("are finite, within the bounds at both ends, too, and rise", () => {
    fc.assert(
      fc.property(continuous, units, units, (distribution, u, v) => {
        const quantile = quantileOf(distribution);
        const [low, high] = [quantile(Math.min(u, v)), quantile(Math.max(u, v))];
        expect(Number.isFinite(low) && Number.isFinite(high)).toBe(true);
        // a rounding error apart: quantiles of neighbours may come from different formulas
        const slack = distribution.kind === "beta" ? 1e-11 : 1e-14;
        expect(low).toBeLessThanOrEqual(high + slack * Math.max(Math.abs(low), Math.abs(high)));
        if (distribution.kind === "normal") return;
        expect(low).toBeGreaterThanOrEqual(distribution.low);
        expect(high).toBeLessThanOrEqual(distribution.high);
        expect(quantile(0)).toBe(distribution.low);
        expect(quantile(1)).toBe(distribution.high);
      }),
      { numRuns: 1000 },
    );
  });

  it("gives many values at once as it gives them one by one", () => {
    fc.assert(
      fc.property(continuous, fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (distribution, shares) => {
        const coordinates = Float64Array.of(0, 1, ...shares);
        const single = Array.from(coordinates, quantileOf(distribution));
        expect(Array.from(quantilesOf(distribution)(coordinates))).toEqual(single);
      }),
    );
  });

  it("hold widths that no number can", () => {
    const quantile = quantileOf(uniform(-1.5e308, 1.5e308));
    expect([0, 0.5, 1].map(quantile)).toEqual([-1.5e308, 0, 1.5e308]);
  });

  it("are known at some places", () => {
    const at = (distribution: Distribution, u: number) =>
      isContinuous(distribution) ? quantileOf(distribution)(u) : Number.NaN;
    expect(at(loguniform(1, 100), 0.5)).toBeCloseTo(10, 12);
    expect(at(normal(10, 2), 0.975)).toBeCloseTo(10 + 2 * 1.959963984540054, 14);
    expect(at(triangular(0, 1, 4), 0.25)).toBe(1);
    expect(at(triangular(0, 0, 1), 0.75)).toBe(0.5);
    expect(at(beta(1, 1, 5, 7), 0.25)).toBeCloseTo(5.5, 13);
    expect(at(beta(0.5, 0.5), 0.25)).toBeCloseTo(Math.sin(Math.PI / 8) ** 2, 14);
    expect(at(truncatedNormal(0, 1, 0, 9), 0.5)).toBeCloseTo(0.6744897501960817, 14);
  });
});

describe("values at coordinates", () => {
  const sampler = (distribution: string, type: "number" | "integer" | "bigint" | "value" = "value", rest = {}) =>
    samplerOf({ name: "x", type, distribution, ...rest });
  const shares = (made: ReturnType<typeof sampler>, n = 60_000) => {
    const counts = new Map<unknown, number>();
    for (let i = 0; i < n; i++) {
      const value = made.at((i + 0.5) / n);
      counts.set(value, (counts.get(value) ?? 0) + 1 / n);
    }
    return counts;
  };

  it("are whole numbers in equal shares, the ends among them", () => {
    const dice = sampler("uniform:1,6", "integer");
    expect([...shares(dice).keys()]).toEqual([1, 2, 3, 4, 5, 6]);
    for (const share of shares(dice).values()) expect(share).toBeCloseTo(1 / 6, 6);
    expect([dice.at(0), dice.at(1 - 2 ** -53), dice.at(1)]).toEqual([1, 6, 6]);
    expect([...shares(sampler("uniform:-1,1", "integer")).keys()]).toEqual([-1, 0, 1]);
    expect(Object.is(sampler("uniform:-1,1", "integer").at(0.5), -0)).toBe(false);
    expect(sampler("uniform:1,6", "bigint").at(0.99)).toBe(6n);
    expect(sampler(`uniform:${-(2 ** 51)},${2 ** 51}`, "integer").at(1)).toBe(2 ** 51);
    expect(() => sampler("uniform:0.2,0.8", "integer")).toThrow(/x: uniform:0.2,0.8 holds no whole number/);
  });

  it("give whole numbers what lies nearest to them, the outermost no less", () => {
    const counts = shares(sampler("triangular:0,2,4", "integer"));
    expect([...counts.keys()]).toEqual([0, 1, 2, 3, 4]); // of a triangle from −0.5 to 4.5
    expect(counts.get(0)).toBeCloseTo(0.08, 3);
    expect(counts.get(2)).toBeCloseTo(1 - 0.64, 3);
    const logarithmic = shares(sampler("loguniform:1,3", "integer"));
    expect(logarithmic.get(1)).toBeCloseTo(Math.log(1.5 / 0.5) / Math.log(3.5 / 0.5), 3);
    expect([sampler("normal:10,2", "integer").at(0.5), sampler("normal:10,2", "integer").at(0)]).toEqual([10, -7]);
  });

  it("are multiples of a step, written as people write them", () => {
    const tenths = sampler("uniform:0,1", "number", { step: 0.1 });
    expect([...shares(tenths).keys()]).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    expect(tenths.at(0.3)).toBe(0.3);
  });

  it("stay off bounds that are excluded", () => {
    const open = sampler("uniform:0,2", "number", { above: 0, below: 2 });
    expect(open.at(0)).toBe(Number.MIN_VALUE);
    expect(open.at(1)).toBe(2 - 2 ** -52);
    const whole = sampler("uniform:0,3", "integer", { above: 0, below: 3 });
    expect([...shares(whole).keys()]).toEqual([1, 2]);
  });

  it("follow weights", () => {
    const counts = shares(sampler("discrete:a=0.2,b=0.5,c=0.3"));
    expect(counts.get("a")).toBeCloseTo(0.2, 4);
    expect(counts.get("b")).toBeCloseTo(0.5, 4);
    expect(sampler("discrete:a=0.2,b=0.5,c=0.3").at(1)).toBe("c");
    expect(sampler("discrete:a=0.2,b=0.5,c=0.3").at(0.2)).toBe("b");
    expect([...sampler("discrete:a=0.2,b=0.5,c=0.3").axis(undefined)]).toEqual([0.1, expect.closeTo(0.45, 12), 0.85]);
    for (const share of shares(sampler("files:a,b,c,d")).values()) expect(share).toBeCloseTo(0.25, 9);
  });

  it("have levels for a grid", () => {
    const values = (made: ReturnType<typeof sampler>, levels?: number) => [...made.axis(levels)].map((u) => made.at(u));
    expect(values(sampler("uniform:0,8", "number"), 5)).toEqual([0, 2, 4, 6, 8]);
    expect(values(sampler("uniform:0,8", "number", { above: 0 }), 2)).toEqual([2, 6]);
    expect(values(sampler("normal:0,1", "number"), 1)).toEqual([0]);
    expect(values(sampler("uniform:1,6", "integer"))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(values(sampler("uniform:1,9", "integer"), 3)).toEqual([1, 5, 9]);
    expect(values(sampler("loguniform:1,2", "integer"), 20)).toEqual([1, 2]);
    expect(values(sampler("discrete:c,a"), 9)).toEqual(["c", "a"]);
    expect(() => sampler("uniform:0,8", "number").axis(undefined)).toThrow(/how many levels x has/);
  });
});

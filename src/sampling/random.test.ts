import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomFrom } from "./random.ts";

const draw = (seed: number, stream: number, count: number) => {
  const random = randomFrom(seed, stream);
  return Array.from({ length: count }, () => random());
};
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const correlation = (a: readonly number[], b: readonly number[]) => {
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = mean(a.map((value, i) => (value - meanA) * (b[i]! - meanB)));
  const spread = (all: readonly number[], own: number) => Math.sqrt(mean(all.map((value) => (value - own) ** 2)));
  return product / (spread(a, meanA) * spread(b, meanB));
};
const seeds = fc.nat(Number.MAX_SAFE_INTEGER);

describe("randomFrom", () => {
  it("gives the same numbers for the same seeds, on every machine and in every version", () => {
    expect(draw(1, 0, 3)).toEqual(draw(1, 0, 3));
    // a change here changes the results of every study that is run again: raise the major version
    expect(draw(0, 0, 2).map((value) => Math.floor(value * 2 ** 32))).toMatchInlineSnapshot(`
      [
        3489177841,
        2877886430,
      ]
    `);
    expect(draw(2 ** 53 - 1, 123_456, 2).map((value) => Math.floor(value * 2 ** 32))).toMatchInlineSnapshot(`
      [
        1323572894,
        560516184,
      ]
    `);
  });

  it("stays in [0, 1) for any seeds", () => {
    fc.assert(
      fc.property(seeds, seeds, (seed, stream) => {
        for (const value of draw(seed, stream, 20)) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThan(1);
        }
      }),
    );
  });

  it("begins differently for each of many streams, and for each of many seeds", () => {
    const firsts = new Set<number>();
    for (let i = 0; i < 20_000; i++) {
      firsts.add(draw(42, i, 1)[0]!);
      firsts.add(draw(i + 43, 0, 1)[0]!);
    }
    expect(firsts.size).toBe(40_000);
  });

  it("uses all bits of a seed", () => {
    for (let bit = 0; bit < 53; bit++) expect(draw(2 ** bit, 0, 1), `bit ${bit}`).not.toEqual(draw(0, 0, 1));
  });

  it("gives neighbours unrelated numbers", () => {
    const n = 20_000;
    for (const [seed, stream] of [
      [7, 1],
      [8, 0],
      [1, 7],
      [7 + 2 ** 32, 0],
    ] as const) {
      expect(Math.abs(correlation(draw(7, 0, n), draw(seed, stream, n)))).toBeLessThan(4 / Math.sqrt(n));
    }
    const firsts = Array.from({ length: n }, (_, stream) => draw(7, stream, 1)[0]!);
    expect(Math.abs(correlation(firsts.slice(0, -1), firsts.slice(1)))).toBeLessThan(4 / Math.sqrt(n));
  });

  it("is uniform: chi-squared over 100 bins, in one stream and over the first numbers of many", () => {
    const n = 100_000;
    for (const values of [draw(3, 0, n), Array.from({ length: n }, (_, stream) => draw(3, stream, 1)[0]!)]) {
      const bins = new Array<number>(100).fill(0);
      for (const value of values) bins[Math.floor(value * 100)]!++;
      const chi = bins.reduce((sum, count) => sum + (count - n / 100) ** 2 / (n / 100), 0);
      expect(chi).toBeGreaterThan(54); // 99 degrees of freedom: 0.01 % below, 0.01 % above
      expect(chi).toBeLessThan(161);
    }
  });

  it("is normal where asked: mean, spread, tails and pairs", () => {
    const random = randomFrom(11, 5);
    const values = Array.from({ length: 100_000 }, () => random.normal(10, 2));
    expect(mean(values)).toBeCloseTo(10, 1);
    expect(Math.sqrt(mean(values.map((value) => (value - 10) ** 2)))).toBeCloseTo(2, 1);
    const beyond = values.filter((value) => Math.abs(value - 10) > 4).length / values.length;
    expect(beyond).toBeGreaterThan(0.0425); // 4.55 % lie beyond two standard deviations
    expect(beyond).toBeLessThan(0.0485);
    expect(Math.abs(correlation(values.slice(0, -1), values.slice(1)))).toBeLessThan(0.013);
    expect(values.every(Number.isFinite)).toBe(true);
  });

  it("draws whole numbers with both ends, evenly", () => {
    const random = randomFrom(5, 0);
    const counts = new Map<number, number>();
    for (let i = 0; i < 60_000; i++) {
      const value = random.integer(-2, 3);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3]);
    for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    expect(randomFrom(1, 1).integer(4, 4)).toBe(4);
  });
});

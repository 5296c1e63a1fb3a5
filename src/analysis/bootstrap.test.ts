import { describe, expect, it } from "vitest";
import { resampledSums, TILE } from "./bootstrap.ts";

/** The unit's number, its square, and 1. */
const statistics = {
  count: 3,
  fill: (into: Float64Array, from: number, to: number) => {
    for (let i = from; i < to; i++) {
      into[i - from] = i;
      into[TILE + i - from] = i * i;
      into[2 * TILE + i - from] = 1;
    }
  },
};
const ones = { count: 1, fill: (into: Float64Array) => into.fill(1, 0, TILE) };

describe("resampled sums", () => {
  it.each([1, 2, 255, 256, 257, 1000])("begin with the sample itself, and draw as many units as there are: %i", (n) => {
    const [sums] = resampledSums(n, [statistics], { resamples: 70 });
    expect([...sums!.subarray(0, 3)]).toEqual([(n * (n - 1)) / 2, ((n - 1) * n * (2 * n - 1)) / 6, n]);
    for (let r = 0; r <= 70; r++) expect(sums![r * 3 + 2]).toBe(n);
  });

  it("draw every unit equally often, and resamples that differ", () => {
    const n = 50;
    const [sums] = resampledSums(n, [statistics], { resamples: 2000 });
    const means = Array.from({ length: 2000 }, (_, r) => sums![(r + 1) * 3]! / n);
    const mean = means.reduce((sum, value) => sum + value / means.length, 0);
    const deviation = Math.sqrt(means.reduce((sum, value) => sum + (value - mean) ** 2 / means.length, 0));
    const expected = Math.sqrt((n * n - 1) / 12 / n); // of the mean of n draws from 0 … n − 1
    expect(Math.abs(mean - (n - 1) / 2)).toBeLessThan((4 * expected) / Math.sqrt(2000));
    expect(Math.abs(deviation / expected - 1)).toBeLessThan(0.07);
  });

  it("depend on the seed alone: not on how many there are, nor on what else is summed", () => {
    const [few] = resampledSums(300, [statistics], { resamples: 10, seed: 4 });
    const [, many] = resampledSums(300, [ones, statistics], { resamples: 100, seed: 4 });
    expect([...many!.subarray(0, few!.length)]).toEqual([...few!]);
    const [other] = resampledSums(300, [statistics], { resamples: 10, seed: 5 });
    expect([...other!.subarray(3)]).not.toEqual([...few!.subarray(3)]);
  });
});

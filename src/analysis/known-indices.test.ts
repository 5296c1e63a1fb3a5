import { describe, expect, it } from "vitest";
import { givenDataIndex, slicesFor } from "./given-data.ts";
import * as models from "./known-models.testsuite.ts";
import { elementaryEffects, morrisIndices } from "./morris-effects.ts";
import { regressionIndices, regressorsOf } from "./regression.ts";
import { slicesOf } from "./slices.ts";
import { sobolIndices } from "./sobol-indices.ts";

const REPETITIONS = 200;

/** How often an interval held the truth. */
class Coverage {
  readonly #held = new Map<string, number>();

  add(index: string, value: number, halfWidth: number, truth: number): void {
    const isHeld = Math.abs(value - truth) <= halfWidth;
    this.#held.set(index, (this.#held.get(index) ?? 0) + Number(isHeld));
  }

  expectHonest(): void {
    expect(this.#held.size).toBeGreaterThan(0);
    for (const [index, held] of this.#held) {
      expect(held / REPETITIONS, index).toBeGreaterThanOrEqual(0.9);
      expect(held / REPETITIONS, index).toBeLessThanOrEqual(0.99);
    }
  }
}

describe("indices of functions whose indices are known", () => {
  const all: [string, models.KnownModel][] = [
    ["Ishigami", models.ishigami()],
    ["g", models.sobolG([0, 1, 4.5])],
    ["linear", models.linear([1, 2, 3])],
  ];

  it.each(all)("first-order and total indices converge: %s", (_, model) => {
    const output = models.valuesAt(model, models.crossedPoints(model.dimensions, 20_000, 3, false));
    const [found] = sobolIndices([output], { dimensions: model.dimensions, secondOrder: false }, { resamples: 50 });
    for (let j = 0; j < model.dimensions; j++) {
      expect(Math.abs(found!.first[j]! - model.first[j]!), `S1 ${j}`).toBeLessThan(0.03);
      expect(Math.abs(found!.total[j]! - model.total[j]!), `ST ${j}`).toBeLessThan(0.03);
    }
  });

  it.each(all)("intervals of Sobol' indices hold the truth in 90 to 99 of 100 samples: %s", (_, model) => {
    const coverage = new Coverage();
    for (let seed = 0; seed < REPETITIONS; seed++) {
      const output = models.valuesAt(model, models.crossedPoints(model.dimensions, 256, seed, false));
      const [found] = sobolIndices(
        [output],
        { dimensions: model.dimensions, secondOrder: false },
        { resamples: 100, seed },
      );
      for (let j = 0; j < model.dimensions; j++) {
        coverage.add(`S1 ${j}`, found!.first[j]!, found!.firstHalfWidth[j]!, model.first[j]!);
        coverage.add(`ST ${j}`, found!.total[j]!, found!.totalHalfWidth[j]!, model.total[j]!);
      }
    }
    coverage.expectHonest();
  });

  it("second-order indices find what interacts, with honest intervals", () => {
    const model = models.ishigami();
    const coverage = new Coverage();
    for (let seed = 0; seed < REPETITIONS; seed++) {
      const output = models.valuesAt(model, models.crossedPoints(3, 512, seed, true));
      const [found] = sobolIndices([output], { dimensions: 3, secondOrder: true }, { resamples: 100, seed });
      for (const [p, truth] of [0, model.second13, 0].entries()) {
        coverage.add(`S2 ${p}`, found!.second[p]!, found!.secondHalfWidth[p]!, truth);
      }
    }
    coverage.expectHonest();
  });

  it.each(all)("first-order indices of any sample have honest intervals: %s", (_, model) => {
    const coverage = new Coverage();
    for (let seed = 0; seed < REPETITIONS; seed++) {
      const points = models.randomPoints(model.dimensions, 512, seed);
      const output = models.valuesAt(model, points);
      for (const [j, values] of models.columnsOf(points).entries()) {
        const slices = slicesOf({ name: `x${j}`, values }, slicesFor(output.length));
        const { first, halfWidth } = givenDataIndex(slices, output);
        coverage.add(`S1 ${j}`, first, halfWidth, model.first[j]!);
      }
    }
    coverage.expectHonest();
  });

  it("an input that does nothing has a first-order index of 0 on average, however few the rows", () => {
    const model = models.linear([1, 0]);
    let sum = 0;
    for (let seed = 0; seed < REPETITIONS; seed++) {
      const points = models.randomPoints(2, 40, seed);
      const values = models.columnsOf(points)[1]!;
      sum += givenDataIndex(slicesOf({ name: "x", values }, slicesFor(40)), models.valuesAt(model, points)).first;
    }
    expect(Math.abs(sum / REPETITIONS)).toBeLessThan(0.03); // uncorrected, it is 0.13
  });

  it("regression coefficients are the slopes in standard deviations, with honest intervals", () => {
    const slopes = [1, 2, 0];
    const noise = 1; // standard deviation; that of an input is √(1/12)
    const scale = Math.sqrt(5 / 12 + noise ** 2);
    const coverage = new Coverage();
    for (let seed = 0; seed < REPETITIONS; seed++) {
      const points = models.randomPoints(4, 200, seed);
      const output = models.valuesAt(
        { value: (u) => u[0]! + 2 * u[1]! + noise * Math.sqrt(12) * (u[3]! - 0.5) },
        points,
      );
      const inputs = models
        .columnsOf(points)
        .slice(0, 3)
        .map((values, j) => ({ name: `x${j}`, values }));
      const found = regressionIndices(regressorsOf(inputs), output, { resamples: 100, seed });
      for (const [j, slope] of slopes.entries()) {
        const [own, rest] = [slope / Math.sqrt(12), noise];
        coverage.add(`SRC ${j}`, found.coefficients[j]!, found.coefficientHalfWidth[j]!, own / scale);
        coverage.add(`PCC ${j}`, found.partial[j]!, found.partialHalfWidth[j]!, own / Math.hypot(own, rest));
      }
    }
    coverage.expectHonest();
  });

  it("elementary effects of a linear model are its slopes, without spread", () => {
    const points = models.trajectoryPoints(3, 6, 1, 4);
    const effects = elementaryEffects(
      models.columnsOf(points),
      models.valuesAt(models.linear([1, -2, 0]), points),
      4 / 6,
    );
    const { mu, muStar, sigma, muStarHalfWidth } = morrisIndices(effects);
    for (const [j, slope] of [1, -2, 0].entries()) {
      expect(mu[j]).toBeCloseTo(slope, 12);
      expect(muStar[j]).toBeCloseTo(Math.abs(slope), 12);
      expect(sigma[j]).toBeCloseTo(0, 12);
      expect(muStarHalfWidth[j]).toBeCloseTo(0, 12);
    }
  });
});

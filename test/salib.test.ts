import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { morrisStep } from "../src/analysis/designs.ts";
import * as models from "../src/analysis/known-models.testsuite.ts";
import { elementaryEffects, morrisIndices } from "../src/analysis/morris-effects.ts";
import { pawnIndex, pawnSlices } from "../src/analysis/pawn.ts";
import { ranks, sortedRows } from "../src/analysis/ranks.ts";
import { regressionIndices, regressorsOf } from "../src/analysis/regression.ts";
import { sobolIndices } from "../src/analysis/sobol-indices.ts";
import { findPython } from "./python.ts";

interface Sample {
  kind: "sobol" | "morris" | "pawn" | "regression" | "rank-regression";
  dimensions: number;
  inputs?: number[][];
  output: number[];
  secondOrder?: boolean;
  levels?: number;
  slices?: number;
}
type Found = Record<string, number[] | number>;

const GOLDEN = fileURLToPath(new URL("fixtures/salib-indices.json", import.meta.url));
const python = findPython("SALib", "scipy");
const samples = makeSamples();

describe("indices of the same samples", () => {
  const golden = JSON.parse(readFileSync(GOLDEN, "utf8")) as Record<string, Found>;

  it.each(Object.keys(samples))("are those that SALib and NumPy gave: %s", (name) => {
    expectSame(oursOf(samples[name]!), golden[name]!);
  });

  it.skipIf(!python)("are those that SALib and NumPy give here", () => {
    const folder = mkdtempSync(join(tmpdir(), "scythe-salib-"));
    try {
      const file = join(folder, "samples.json");
      writeFileSync(file, JSON.stringify(samples));
      const script = fileURLToPath(new URL("salib_check.py", import.meta.url));
      const theirs = JSON.parse(execFileSync(python!, [script, file], { encoding: "utf8" })) as Record<string, Found>;
      for (const [name, sample] of Object.entries(samples)) expectSame(oursOf(sample), theirs[name]!);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** Indices to 1e-10; intervals, which depend on the random numbers, to a sixth. */
function expectSame(ours: Found, theirs: Found): void {
  expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
  for (const [key, values] of Object.entries(theirs)) {
    for (const [i, value] of [values].flat().entries()) {
      const own = [ours[key]!].flat()[i]!;
      const tolerance = key.endsWith("_conf") ? value / 6 : 1e-10 * Math.max(1, Math.abs(value));
      expect(Math.abs(own - value), `${key} ${i}: ${own}, SALib has ${value}`).toBeLessThanOrEqual(tolerance);
    }
  }
}

function makeSamples(): Record<string, Sample> {
  const ishigami = models.ishigami();
  const g = models.sobolG([0, 0.5, 3, 9, 99]);
  const numbers = (values: Float64Array) => [...values];
  const sobol = (model: models.KnownModel, count: number, secondOrder: boolean, shift = 0): Sample => {
    const points = models.crossedPoints(model.dimensions, count, count, secondOrder);
    const output = numbers(models.valuesAt(model, points)).map((value) => value + shift);
    return { kind: "sobol", dimensions: model.dimensions, output, secondOrder };
  };
  const given = (kind: Sample["kind"], model: models.KnownModel, rows: number, digits = 15): Sample => {
    const points = models.randomPoints(model.dimensions, rows, rows);
    const round = (value: number) => Number(value.toPrecision(digits));
    const output = numbers(models.valuesAt(model, points)).map(round);
    const inputs = models.columnsOf(points).map((column) => numbers(column).map(round));
    return { kind, dimensions: model.dimensions, inputs, output, ...(kind === "pawn" ? { slices: 10 } : {}) };
  };
  const trajectories = models.trajectoryPoints(g.dimensions, 30, 5, 6);
  const morris: Sample = {
    ...{ kind: "morris", dimensions: g.dimensions, levels: 6 },
    inputs: models.columnsOf(trajectories).map(numbers),
    output: numbers(models.valuesAt(g, trajectories)),
  };
  return {
    "sobol, second order": sobol(ishigami, 200, true),
    "sobol, first order alone": sobol(g, 300, false),
    "sobol, five inputs": sobol(g, 128, true),
    "sobol, far from zero": sobol(ishigami, 100, true, 1000),
    morris,
    pawn: given("pawn", ishigami, 500),
    "pawn, ties": given("pawn", g, 300, 2),
    regression: given("regression", g, 400),
    "regression, ranks": given("rank-regression", ishigami, 300),
    "regression, ranks with ties": given("rank-regression", g, 300, 2),
  };
}

function oursOf(sample: Sample): Found {
  const output = Float64Array.from(sample.output);
  const inputs = (sample.inputs ?? []).map((values, j) => ({ name: `x${j + 1}`, values: Float64Array.from(values) }));
  switch (sample.kind) {
    case "sobol": {
      const shape = { dimensions: sample.dimensions, secondOrder: sample.secondOrder! };
      const [found] = sobolIndices([output], shape);
      const { first, total, second, firstHalfWidth, totalHalfWidth, secondHalfWidth } = found!;
      const plain = { S1: [...first], ST: [...total], S1_conf: [...firstHalfWidth], ST_conf: [...totalHalfWidth] };
      return sample.secondOrder ? { ...plain, S2: [...second], S2_conf: [...secondHalfWidth] } : plain;
    }
    case "morris": {
      const columns = inputs.map(({ values }) => values);
      const found = morrisIndices(elementaryEffects(columns, output, morrisStep(sample.levels!)));
      return {
        ...{ mu: [...found.mu], mu_star: [...found.muStar], sigma: [...found.sigma] },
        mu_star_conf: [...found.muStarHalfWidth],
      };
    }
    case "pawn": {
      const found = inputs.map((input) => pawnIndex(pawnSlices(input, sample.slices), output, sortedRows(output)));
      return {
        minimum: found.map(({ minimum }) => minimum),
        mean: found.map(({ mean }) => mean),
        median: found.map(({ median }) => median),
        maximum: found.map(({ maximum }) => maximum),
        CV: found.map(({ variation }) => variation),
        stdev: found.map(({ deviation }) => deviation),
      };
    }
    default: {
      const onRanks = sample.kind === "rank-regression";
      const regressors = regressorsOf(inputs, onRanks);
      const found = regressionIndices(regressors, onRanks ? ranks(output) : output, { resamples: 2 });
      const { coefficients, partial, rSquared } = found;
      return { coefficients: [...coefficients], partial: [...partial], rSquared };
    }
  }
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeRun } from "./describe.ts";
import { writeTables } from "./run-tables.testsuite.ts";

/** From NumPy 2.2 and SciPy 1.17. */
const NUMPY = {
  mean: 69.94059405940594,
  sd: 60.57580833669134,
  skew: 0.6531805584330788,
  min: 0.0,
  max: 204.0,
  quantiles: [0.5, 2.98, 13.52, 53.02, 115.5, 180.5, 197.08],
  histogram: [49, 21, 16, 15],
  pearson: 0.9672645634635577,
  spearman: 0.9970180547466512,
  pearsonOn: 0.06565909397337209,
  spearmanOn: 0.05773502691896258,
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "scythe-describe-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("describe", () => {
  it("gives what NumPy and SciPy give", async () => {
    const tables = await writeTables(folder, {
      inputs: { x: "(i * 7919) % 101 / 10", kind: "CASE WHEN i % 3 = 0 THEN 'a' ELSE 'b' END", on: "i % 2 = 0" },
      outputs: { y: "((i * 7919) % 101)^2 / 50.0 + i % 7" },
      specs: 101,
    });
    const { outputs, specs, failures, rankRows } = await describeRun(tables, { bins: 4 });
    expect(specs).toEqual({ planned: 101, succeeded: 101, failed: 0 });
    expect(failures).toEqual([]);
    expect(rankRows).toBe(101);
    const [y] = outputs;
    const expected = NUMPY;
    expect(y).toMatchObject({ output: "y", n: 101, missing: 0, histogram: expected.histogram });
    for (const key of ["mean", "sd", "skew", "min", "max"] as const) expect(y![key]).toBeCloseTo(expected[key], 9);
    for (const [i, { value }] of y!.quantiles.entries()) expect(value).toBeCloseTo(expected.quantiles[i]!, 9);
    expect(y!.correlations.map(({ input }) => input)).toEqual(["x", "kind", "on"]);
    expect(y!.correlations[0]!.pearson).toBeCloseTo(expected.pearson, 9);
    expect(y!.correlations[0]!.spearman).toBeCloseTo(expected.spearman, 9);
    expect(y!.correlations[1]).toEqual({ input: "kind", pearson: null, spearman: null });
    expect(y!.correlations[2]!.pearson).toBeCloseTo(expected.pearsonOn, 9);
    expect(y!.correlations[2]!.spearman).toBeCloseTo(expected.spearmanOn, 9);
  });

  it("says where specs fail: in ranges of numbers, and by level", async () => {
    const tables = await writeTables(folder, {
      inputs: { x: "i / 1000.0", kind: "['a', 'b'][i % 2 + 1]", whole: "i % 3", id: "'spec ' || i" },
      outputs: { y: "i" },
      specs: 1000,
      failed: "i >= 800 OR i % 2 = 1 AND i < 100",
    });
    const { specs, failures } = await describeRun(tables);
    expect(specs).toEqual({ planned: 1000, succeeded: 750, failed: 250 });
    expect(failures.map(({ input }) => input)).toEqual(["x", "kind", "whole"]);
    const x = failures[0]!.regions;
    expect(x.map((region) => [region.specs, region.failed])).toEqual([
      ...[
        [200, 50],
        [200, 0],
        [200, 0],
        [200, 0],
      ],
      [200, 200],
    ]);
    expect(x[0]!.low).toBe(0);
    expect(x[4]!.high).toBe(0.999);
    expect(x.slice(1).map(({ low }) => low)).toEqual(x.slice(0, -1).map(({ high }) => high));
    expect(failures[1]!.regions).toEqual([
      { level: "a", specs: 500, failed: 100, share: 0.2 },
      { level: "b", specs: 500, failed: 150, share: 0.3 },
    ]);
    expect(failures[2]!.regions.map(({ low, high, specs: n }) => [low, high, n])).toEqual([
      [0, 0, 334],
      [1, 1, 333],
      [2, 2, 333],
    ]);
  });

  it("takes a constant, text, nulls, numbers that are not finite and the largest ones as they are", async () => {
    const tables = await writeTables(folder, {
      inputs: { x: "i" },
      outputs: {
        constant: "7.5",
        text: "'abc'",
        holes: "CASE WHEN i % 2 = 0 THEN i::DOUBLE END",
        odd: "CASE WHEN i = 0 THEN 'nan'::DOUBLE WHEN i = 1 THEN 'inf'::DOUBLE ELSE i END",
        huge: "CASE WHEN i % 2 = 0 THEN 1.7e308 ELSE -1.7e308 END::DOUBLE",
        none: "NULL::DOUBLE",
        flag: "i < 4",
      },
      specs: 40,
    });
    const { outputs, skipped } = await describeRun(tables, { bins: 2 });
    expect(skipped).toEqual([{ name: "text", reason: expect.stringContaining("is text") }]);
    const by = Object.fromEntries(outputs.map((output) => [output.output, output]));
    expect(by.constant).toMatchObject({ mean: 7.5, sd: 0, skew: null, min: 7.5, max: 7.5, histogram: [40, 0] });
    expect(by.constant!.correlations).toEqual([{ input: "x", pearson: null, spearman: null }]);
    expect(by.holes).toMatchObject({ n: 20, missing: 20, mean: 19 });
    expect(by.holes!.correlations[0]!.spearman).toBeCloseTo(1, 12);
    expect(by.odd).toMatchObject({ n: 38, missing: 2, min: 2, max: 39 });
    expect(by.huge).toMatchObject({ mean: 0, max: 1.7e308, histogram: [20, 20] });
    expect(by.huge!.sd! / 1.7e308).toBeCloseTo(Math.sqrt(40 / 39), 9);
    expect(by.none).toMatchObject({ n: 0, missing: 40, mean: null, sd: null, min: null, histogram: [], quantiles: [] });
    expect(by.flag!.mean).toBeCloseTo(0.1, 12);
  });

  it("names the column that a run does not have", async () => {
    const tables = await writeTables(folder, { inputs: { x: "i" }, outputs: { heating: "i" }, specs: 3 });
    await expect(describeRun(tables, { outputs: ["heeting"] })).rejects.toThrow(/no column heeting.*heating/);
  });
});

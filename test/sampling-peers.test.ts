import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { centredDiscrepancy } from "../src/sampling/points/discrepancy.ts";
import { halton } from "../src/sampling/points/halton.ts";
import { type LatinHypercubeOptions, latinHypercube } from "../src/sampling/points/latin-hypercube.ts";
import { emptyColumns, type PointSet } from "../src/sampling/points/point-set.ts";
import { saltelli } from "../src/sampling/points/saltelli.ts";
import { sobol } from "../src/sampling/points/sobol.ts";
import { SOBOL_DIMENSIONS, tableRow } from "../src/sampling/points/sobol-directions.ts";
import { betaQuantile } from "../src/sampling/space/beta.ts";
import { parseDistribution } from "../src/sampling/space/distribution-text.ts";
import type { Continuous } from "../src/sampling/space/distributions.ts";
import { normalQuantile, truncatedNormalQuantile } from "../src/sampling/space/normal.ts";
import { quantileOf } from "../src/sampling/space/quantiles.ts";
import { findPython } from "./python.ts";

const scipy = findPython("scipy.stats");
const salib = scipy && findPython("SALib");

function ask(python: string, what: string, input = "") {
  const script = fileURLToPath(new URL("sampling_check.py", import.meta.url));
  const text = execFileSync(python, [script, what], { encoding: "utf8", input, maxBuffer: 2 ** 28 });
  return JSON.parse(text);
}

const columnsOf = (points: PointSet, count: number, first = 0) => {
  const columns = emptyColumns(points.dimensions, count);
  points.fill(columns, first);
  return columns;
};
const rowsOf = (points: PointSet, count: number, first = 0) => {
  const columns = columnsOf(points, count, first);
  return Array.from({ length: count }, (_, i) => columns.map((column) => column[i]!));
};
const plainSobol = (dimensions: number) => sobol(dimensions, { scramble: "none" });
const plainHalton = (dimensions: number) => halton(dimensions, { scramble: "none" });

interface Golden {
  dimensions: number;
  first: number;
  points: number[][];
}

describe("points beside SciPy's, as they were kept", () => {
  const golden = JSON.parse(
    readFileSync(new URL("fixtures/sampling/scipy-points.json", import.meta.url), "utf8"),
  ) as Record<"sobol" | "halton", Golden[]>;
  it.each([
    ["sobol", plainSobol],
    ["halton", plainHalton],
  ] as const)("%s: equal to the last bit", (name, make) => {
    for (const { dimensions, first, points } of golden[name]) {
      const own = rowsOf(make(dimensions), points.length, first);
      const shown = dimensions === SOBOL_DIMENSIONS ? own.map((row) => row.filter((_, j) => j % 111 === 0)) : own;
      expect(shown).toEqual(points);
    }
  });
});

describe.skipIf(!scipy)("beside SciPy", { timeout: 600_000 }, () => {
  it("has the same direction numbers, points and discrepancy", () => {
    const theirs = ask(scipy!, "points");
    for (let j = 1; j < SOBOL_DIMENSIONS; j++) {
      expect(tableRow(j)).toEqual({ polynomial: theirs.polynomials[j], initial: theirs.initial[j] });
    }
    expect(rowsOf(plainSobol(SOBOL_DIMENSIONS), 128)).toEqual(theirs.sobol);
    expect(rowsOf(plainHalton(60), 600)).toEqual(theirs.halton);
    const sample: Float64Array[] = Array.from({ length: 5 }, (_, j) =>
      Float64Array.from(theirs.sample as number[][], (row) => row[j]!),
    );
    expect(centredDiscrepancy(sample)).toBeCloseTo(theirs.discrepancy, 13);
  });

  it("fills the cube no less evenly, over 20 seeds", () => {
    const theirs = ask(scipy!, "medians");
    const median = (make: (seed: number) => Float64Array[]) => {
      const sorted = Array.from({ length: 20 }, (_, seed) => centredDiscrepancy(make(seed))).sort((a, b) => a - b);
      return (sorted[9]! + sorted[10]!) / 2;
    };
    const lhs = (options: LatinHypercubeOptions) => columnsOf(latinHypercube(200, 8, options), 200);
    const own = {
      lhs: median((seed) => lhs({ seed })),
      optimised: median((seed) => lhs({ seed, optimise: "discrepancy" })),
      sobol: median((seed) => columnsOf(sobol(8, { seed }), 256)),
      halton: median((seed) => columnsOf(halton(8, { seed }), 200)),
    };
    expect(own.optimised).toBeLessThan(theirs.optimised);
    // the same distribution of discrepancies: what is left is the chance of 20 seeds, some 1 % of a Sobol' design's
    expect(own.sobol).toBeLessThan(1.01 * theirs.sobol);
    expect(own.lhs).toBeLessThan(1.05 * theirs.lhs);
    expect(own.halton).toBeLessThan(1.05 * theirs.halton);
  });

  it("has the same quantiles", () => {
    const u = [1e-30, 1e-12, 1e-6, 0.001, 0.02, 0.074, 0.076, 0.3, 0.5, 0.77, 0.9, 0.926, 0.999, 1 - 2 ** -53];
    const shapes: [number, number][] = ["2 5", "0.5 0.5", "30 0.2", "1000 2000", "1e5 3e5", "1 1", "5 1"].map(pair);
    const bounds: [number, number][] = ["-1 2", "5 6", "-30 -29", "30 31", "-0.1 0.1"].map(pair);
    const theirs = ask(scipy!, "quantiles", JSON.stringify({ u, beta: shapes, truncated: bounds }));
    const close = (own: number[], other: number[], error: number, what: string) => {
      for (const [i, value] of own.entries()) {
        const allowed = error * Math.abs(other[i]!) + 1e-300;
        expect(Math.abs(value - other[i]!), `${what} of ${u[i]}`).toBeLessThanOrEqual(allowed);
      }
    };
    close(u.map(normalQuantile), theirs.normal, 1e-15, "normal");
    for (const [i, [a, b]] of shapes.entries())
      close(u.map(betaQuantile(a, b)), theirs.beta[i], 1e-12, `beta ${a} ${b}`);
    for (const [i, [low, high]] of bounds.entries()) {
      close(u.map(truncatedNormalQuantile(low, high)), theirs.truncated[i], 1e-14, `normal from ${low} to ${high}`);
    }
    const own = (text: string) => u.map(quantileOf(parseDistribution(text) as Continuous));
    close(own("loguniform:0.5,15"), theirs.loguniform, 1e-14, "loguniform");
    close(own("triangular:2,4,10"), theirs.triangular, 1e-14, "triangular");
  });
});

function pair(text: string): [number, number] {
  const [first, second] = text.split(" ").map(Number);
  return [first!, second!];
}

describe.skipIf(!salib)("beside SALib", { timeout: 600_000 }, () => {
  it("has the same cross-sample, in the same order", () => {
    const theirs = ask(salib!, "saltelli");
    const own = (secondOrder: boolean, rows: number) => rowsOf(saltelli(3, { scramble: "none", secondOrder }), rows);
    expect(own(false, theirs.first.length)).toEqual(theirs.first);
    expect(own(true, theirs.second.length)).toEqual(theirs.second);
  });
});

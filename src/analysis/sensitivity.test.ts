import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AnalysedDesign, morrisStep } from "./designs.ts";
import * as models from "./known-models.testsuite.ts";
import type { Observations } from "./observations.ts";
import { readObservations } from "./read-observations.ts";
import { writeTables } from "./run-tables.testsuite.ts";
import { sensitivityOf } from "./sensitivity.ts";
import type { Sensitivity } from "./sensitivity-result.ts";
import { sobolIndices } from "./sobol-indices.ts";

const NAMES = ["x1", "x2", "x3"];
const SALTELLI: AnalysedDesign = { kind: "saltelli", inputs: NAMES, secondOrder: true };
const ROWS = 8; // of a base point

/** A run of which the specs at some positions failed; outputs may be NaN in others. */
function runOf(
  points: models.Points,
  outputs: Record<string, (u: readonly number[], position: number) => number>,
  failed: (position: number) => boolean = () => false,
): Observations {
  const positions = points.map((_, i) => i).filter((i) => !failed(i));
  const column = (value: (u: number[], position: number) => number) =>
    Float64Array.from(positions, (i) => value(points[i]!, i));
  return {
    positions: Float64Array.from(positions),
    inputs: points[0]!.map((_, j) => ({ name: `x${j + 1}`, values: column((u) => u[j]!) })),
    outputs: Object.entries(outputs).map(([name, value]) => ({ name, values: column(value) })),
    unusable: [],
    planned: points.length,
  };
}

function valuesOf({ outputs }: Sensitivity, index: string, output = outputs[0]!.output): (number | null)[] {
  const { indices } = outputs.find((candidate) => candidate.output === output)!;
  return indices.filter((own) => own.index === index).map(({ value }) => value);
}

const ishigami = models.ishigami();
const points = models.crossedPoints(3, 400, 1, true);

describe("sensitivity of a Saltelli design", () => {
  it("gives all outputs at once, as each alone", () => {
    const linear = models.linear([1, 2, 3]);
    const run = runOf(points, { a: ishigami.value, b: linear.value });
    const both = sensitivityOf(run, SALTELLI, { seed: 3, resamples: 50 });
    expect(both).toMatchObject({ method: "sobol", kind: "designed", design: "saltelli", unit: "base points" });
    expect(both.inputs).toEqual(NAMES);
    expect(both.outputs.map(({ output }) => output)).toEqual(["a", "b"]);
    for (const output of ["a", "b"]) {
      const alone = sensitivityOf(run, SALTELLI, { seed: 3, resamples: 50, outputs: [output] });
      expect(alone.outputs).toEqual(both.outputs.filter((own) => own.output === output));
    }
    expect(both.outputs[0]!.blocks).toEqual({ planned: 400, used: 400, failed: 0, missing: 0 });
    expect(both.outputs[0]!.warnings).toEqual([]);
    const pairs = both.outputs[0]!.indices.filter(({ index }) => index === "S2");
    expect(pairs.map((pair) => [pair.input, pair.with])).toEqual([
      ["x1", "x2"],
      ["x1", "x3"],
      ["x2", "x3"],
    ]);
    expect(Math.abs(pairs[1]!.value! - ishigami.second13)).toBeLessThan(pairs[1]!.halfWidth! * 1.5);
    expect(JSON.parse(JSON.stringify(both))).toEqual(both);
  });

  it("leaves out the whole base point of a failed row or a missing value, says so, and imputes nothing", () => {
    const failed = new Set([3, 5 * ROWS, 5 * ROWS + 2, 17 * ROWS + 7]); // base points 0, 5 and 17
    const missing = new Set([20 * ROWS + 1]);
    const run = runOf(
      points,
      { y: (u, i) => (missing.has(i) ? Number.NaN : ishigami.value(u)), other: ishigami.value },
      (i) => failed.has(i),
    );
    const found = sensitivityOf(run, SALTELLI, { resamples: 20 });
    const [y, other] = found.outputs;
    expect(y!.blocks).toEqual({ planned: 400, used: 396, failed: 3, missing: 1 });
    expect(other!.blocks).toEqual({ planned: 400, used: 397, failed: 3, missing: 0 });
    expect(y!.warnings).toEqual([
      "4 of 400 base points are left out (3 with specs that failed or are not done, 1 without a finite value); the intervals are those of 396.",
    ]);
    const whole = points.filter((_, i) => ![0, 5, 17, 20].includes(Math.floor(i / ROWS)));
    const [expected] = sobolIndices(
      [models.valuesAt(ishigami, whole)],
      { dimensions: 3, secondOrder: true },
      { resamples: 20 },
    );
    expect(valuesOf(found, "S1", "y")).toEqual([...expected!.first]);
    expect(valuesOf(found, "S2", "y")).toEqual([...expected!.second]);
    expect(found.specs).toEqual({ planned: 3200, withResults: 3196 });
  });

  it("has wider intervals the more is lost, and says what that may mean", () => {
    const width = (share: number) => {
      const run = runOf(points, { y: ishigami.value }, (i) => i % ROWS === 0 && i / ROWS < share * 400);
      const [output] = sensitivityOf(run, SALTELLI, { seed: 1 }).outputs;
      return { halfWidth: output!.indices[3]!.halfWidth!, warnings: output!.warnings };
    };
    const [all, quarter] = [width(0), width(0.75)];
    expect(quarter.halfWidth / all.halfWidth).toBeGreaterThan(1.5);
    expect(quarter.halfWidth / all.halfWidth).toBeLessThan(2.7);
    expect(quarter.warnings.join(" ")).toContain("scythe describe");
  });

  it("refuses when too few base points are whole, when all outputs are constant, or when there is none", () => {
    const bad = (run: Observations) => () => sensitivityOf(run, SALTELLI);
    expect(bad(runOf(points, { y: ishigami.value }, (i) => i % ROWS === 0 && i >= 9 * ROWS))).toThrow(
      "Output y has 9 whole base points of 400: too few, 10 are needed",
    );
    expect(bad(runOf(points, { y: () => 4, z: () => 5 }))).toThrow(
      "Output y is constant (and 1 more cannot be analysed)",
    );
    expect(bad(runOf(points, {}))).toThrow("no scalar outputs");
  });

  it("skips what cannot be analysed unless it was asked for", () => {
    const run = {
      ...runOf(points, { y: ishigami.value, constant: () => 1 }),
      unusable: [{ name: "log", role: "output" as const, reason: "is text, or a file" }],
    };
    const found = sensitivityOf(run, SALTELLI, { resamples: 5 });
    expect(found.outputs.map(({ output }) => output)).toEqual(["y"]);
    expect(found.skipped).toEqual([
      { name: "log", reason: "is text, or a file" },
      { name: "constant", reason: "is constant" },
    ]);
    const asked =
      (...outputs: string[]) =>
      () =>
        sensitivityOf(run, SALTELLI, { resamples: 5, outputs });
    expect(asked("y", "constant")).toThrow("Output constant is constant");
    expect(asked("log")).toThrow("Output log is text, or a file");
    expect(asked("yy")).toThrow(/no output yy.*\by\b/);
  });

  it("takes groups by their names, rows before the design as no part of it, and a last base point that is not whole", () => {
    const crossed = models.crossedPoints(2, 50, 3, false);
    const other = models.linear([1, 2]);
    const run = runOf([[0.5, 0.5], ...crossed, crossed[0]!], { y: other.value });
    const design: AnalysedDesign = {
      ...{ kind: "saltelli", inputs: ["x1", "x2", "x3"], groups: ["climate", "wall"] },
      ...{ secondOrder: false, first: 1 },
    };
    const found = sensitivityOf(run, design, { resamples: 5 });
    expect(found.inputs).toEqual(["climate", "wall"]);
    expect(found.outputs[0]!.blocks).toEqual({ planned: 50, used: 50, failed: 0, missing: 0 });
    const [expected] = sobolIndices(
      [models.valuesAt(other, crossed)],
      { dimensions: 2, secondOrder: false },
      { resamples: 5 },
    );
    expect(valuesOf(found, "ST")).toEqual([...expected!.total]);
  });
});

describe("sensitivity of Morris trajectories", () => {
  const trajectories = models.trajectoryPoints(3, 40, 1, 4);
  const design: AnalysedDesign = { kind: "morris", inputs: NAMES, step: morrisStep(4) };

  it("leaves out whole trajectories", () => {
    const run = runOf(trajectories, { y: models.linear([3, -2, 0]).value }, (i) => i === 6 || i === 7 || i === 100);
    const found = sensitivityOf(run, design, { resamples: 20 });
    expect(found).toMatchObject({ method: "morris", kind: "designed", unit: "trajectories" });
    expect(found.outputs[0]!.blocks).toEqual({ planned: 40, used: 38, failed: 2, missing: 0 });
    for (const [j, mu] of valuesOf(found, "mu").entries()) expect(mu).toBeCloseTo([3, -2, 0][j]!, 10);
    for (const [j, mu] of valuesOf(found, "mu_star").entries()) expect(mu).toBeCloseTo([3, 2, 0][j]!, 10);
  });

  it("refuses specs that are none, with the method that takes them", () => {
    const run = runOf(models.randomPoints(3, 160, 1), { y: ishigami.value });
    expect(() => sensitivityOf(run, design)).toThrow(
      "The rows of trajectory 1 do not change one input after the other",
    );
    expect(sensitivityOf(run, design, { method: "given-data" }).statement).toContain("rough");
  });
});

describe("sensitivity of any run", () => {
  const run = runOf(models.randomPoints(3, 2000, 4), { y: ishigami.value, flat: models.linear([1, 2, 3]).value });

  it("is a first-order estimate, which says so", () => {
    const found = sensitivityOf(run, undefined);
    expect(found).toMatchObject({ method: "given-data", kind: "given-data", design: null, resamples: null });
    expect(found.statement).toContain("was not made with a design that is known");
    for (const { index, input, value, halfWidth } of found.outputs[0]!.indices) {
      expect(index).toBe("S1");
      expect(Math.abs(value! - ishigami.first[NAMES.indexOf(input)]!)).toBeLessThan(1.5 * halfWidth!);
    }
  });

  it("uses independent rows alone of a run that was made for another method", () => {
    const crossed = runOf(points, { y: ishigami.value });
    const found = sensitivityOf(crossed, SALTELLI, { method: "given-data" });
    expect(found.kind).toBe("given-data");
    expect(found.outputs[0]!.blocks).toEqual({ planned: 800, used: 800, failed: 0, missing: 0 });
    expect(found.statement).toContain("saltelli, of which only independent rows are used");
  });

  it("takes every other method that needs no design", () => {
    const linear = sensitivityOf(
      run,
      { kind: "other", name: "lhs", inputs: NAMES },
      { method: "regression", outputs: ["flat"] },
    );
    expect(linear).toMatchObject({ kind: "given-data", design: "lhs" });
    expect(linear.outputs[0]!.rSquared).toBeCloseTo(1, 10);
    expect(linear.outputs[0]!.warnings).toEqual([]);
    for (const [j, value] of valuesOf(linear, "SRC").entries()) {
      expect(Math.abs(value! - Math.sqrt(models.linear([1, 2, 3]).first[j]!))).toBeLessThan(0.05);
    }
    const ranks = sensitivityOf(run, undefined, { method: "rank-regression", outputs: ["y"] });
    expect(ranks.outputs[0]!.warnings[0]).toMatch(/explains \d+ % of the variance/);
    const pawn = sensitivityOf(run, undefined, { method: "pawn", outputs: ["y"] });
    const [median, threshold] = [valuesOf(pawn, "pawn_median"), valuesOf(pawn, "pawn_threshold")];
    expect(median[1]!).toBeGreaterThan(threshold[1]!);
  });

  it("says of inputs that it leaves out why, and of rows", () => {
    const more = {
      ...run,
      inputs: [...run.inputs, { name: "fixed", values: new Float64Array(2000).fill(3) }],
      unusable: [{ name: "id", role: "input" as const, reason: "is text with 2000 values" }],
      planned: 2100,
    };
    const found = sensitivityOf(more, undefined);
    expect(found.leftOut).toEqual([
      { name: "fixed", reason: "has the same value in all rows" },
      { name: "id", reason: "is text with 2000 values" },
    ]);
    expect(found.outputs[0]!.blocks).toEqual({ planned: 2100, used: 2000, failed: 100, missing: 0 });
  });

  it("refuses a method that does not fit, or does not exist, and inputs that depend on one another", () => {
    const asked =
      (method: string, from = run, design?: AnalysedDesign) =>
      () =>
        sensitivityOf(from, design, { method: method as "sobol" });
    expect(asked("sobol")).toThrow("Method sobol needs design saltelli; the run was not made with a design");
    expect(asked("morris", run, { kind: "other", name: "lhs", inputs: NAMES })).toThrow(
      "the run was made with design lhs",
    );
    expect(asked("sobl")).toThrow(/no method sobl.*sobol/);
    const copy = {
      ...run,
      inputs: [...run.inputs, { name: "twice", values: run.inputs[0]!.values.map((v) => 2 * v) }],
    };
    expect(asked("regression", copy)).toThrow("Input twice follows from the other inputs");
    expect(() => sensitivityOf(run, undefined, { confidence: 1.5 })).toThrow("confidence");
    expect(() => sensitivityOf(run, undefined, { resamples: 0 })).toThrow("resamples");
  });
});

describe("the tables of a run", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "scythe-sensitivity-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("become columns: text and booleans as levels, what is missing as NaN", async () => {
    const tables = await writeTables(folder, {
      inputs: {
        x: "i / 4.0",
        kind: "CASE WHEN i = 5 THEN NULL ELSE ['b', 'it''s'][i % 2 + 1] END",
        on: "i % 2 = 1",
        path: "'file ' || i",
        at: "TIMESTAMP '2024-01-01'",
      },
      outputs: { y: "CASE WHEN i = 2 THEN NULL ELSE i * 1.5 END", ok: "i > 3", note: "'text'", list: "[i]" },
      specs: 12,
      failed: "i = 4",
    });
    const read = await readObservations(tables);
    expect([...read.positions].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]);
    expect(read.planned).toBe(12);
    const row = read.positions.indexOf(5);
    const at = (name: string, i: number) =>
      [...read.inputs, ...read.outputs].find((column) => column.name === name)!.values[i];
    expect([at("x", row), at("kind", row), at("on", row), at("y", row), at("ok", row)]).toEqual([1.25, 2, 1, 7.5, 1]);
    expect(at("kind", read.positions.indexOf(3))).toBe(1);
    expect(at("y", read.positions.indexOf(2))).toBeNaN();
    expect(read.inputs.map(({ name, levels }) => [name, levels?.slice(0, 2)])).toEqual([
      ["x", undefined],
      ["kind", ["b", "it's"]],
      ["on", ["false", "true"]],
    ]);
    expect(read.unusable.map(({ name, role }) => [name, role])).toEqual([
      ["path", "input"],
      ["at", "input"],
      ["note", "output"],
      ["list", "output"],
    ]);
    expect((await readObservations(tables, { inputs: ["x"], outputs: ["y"] })).inputs).toHaveLength(1);
    await expect(readObservations(tables, { outputs: ["z"] })).rejects.toThrow("no column z");
  });

  it("tell which level matters: by given data, and in a regression beside the numbers", async () => {
    const tables = await writeTables(folder, {
      inputs: { x: "(i * 7919) % 1009 / 1009", kind: "['a', 'b', 'c'][(i * 31) % 97 % 3 + 1]" },
      outputs: { y: "(i * 7919) % 1009 / 1009 + CASE (i * 31) % 97 % 3 WHEN 0 THEN 4 WHEN 1 THEN 0 ELSE 3 END" },
      specs: 2000,
    });
    const run = await readObservations(tables);
    const [x, kind] = valuesOf(sensitivityOf(run, undefined), "S1");
    expect(Math.abs(x! + kind! - 1)).toBeLessThan(0.05);
    expect(kind!).toBeGreaterThan(0.9);
    const linear = sensitivityOf(run, undefined, { method: "regression" });
    expect(linear.outputs[0]!.rSquared).toBeCloseTo(1, 9);
    expect(valuesOf(linear, "SRC")[1]).toBeNull();
    expect(valuesOf(linear, "PCC")[0]).toBeCloseTo(1, 6);
  });
});

import { describe, expect, it } from "vitest";
import * as models from "./known-models.testsuite.ts";
import { sensitivityOf } from "./sensitivity.ts";
import type { Sensitivity } from "./sensitivity-result.ts";
import { nextStep } from "./until.ts";

const LINEAR = models.linear([1, 2]);
const ROWS = 4; // of a base point: two inputs, without second order

function sensitivity(points: number): Sensitivity {
  const rows = models.crossedPoints(2, points, 1, false);
  const run = {
    positions: Float64Array.from(rows.keys()),
    inputs: [],
    outputs: [{ name: "y", values: models.valuesAt(LINEAR, rows) }],
    unusable: [],
    planned: rows.length,
  };
  return sensitivityOf(run, { kind: "saltelli", inputs: ["a", "b"], secondOrder: false });
}

/** As if the widest interval were so wide. */
function withWidth(halfWidth: number, { planned = 100, lost = 0 } = {}): Sensitivity {
  const base = sensitivity(20);
  const indices = ["S1", "ST", "S2"].map((index, i) => ({
    ...{ index, input: "a", with: null, value: 0.5 },
    halfWidth: index === "S2" ? 9 : halfWidth / (2 - i),
  }));
  const blocks = { planned, used: planned - lost, failed: lost, missing: 0 };
  return { ...base, outputs: [{ output: "y", blocks, indices, warnings: [] }] };
}

const OPTIONS = { halfWidth: 0.05, rowsPerPoint: ROWS, budget: 1e9 };

describe("the next step until indices are known", () => {
  it("is none when all first-order and total indices are", () => {
    expect(nextStep(withWidth(0.05), OPTIONS)).toMatchObject({ done: true, why: "reached", widest: { index: "ST" } });
  });

  it("is what the widest interval takes by 1/√n, but at most as many points as there are", () => {
    expect(nextStep(withWidth(0.06), OPTIONS)).toEqual({
      ...{ done: false, points: 44, needed: 144 },
      widest: { output: "y", index: "ST", input: "a", with: null, halfWidth: 0.06 },
      expected: expect.closeTo(0.05, 10),
    });
    expect(nextStep(withWidth(0.5), OPTIONS)).toMatchObject({ done: false, points: 100, needed: 10_000 });
  });

  it("counts on losing the same share again", () => {
    expect(nextStep(withWidth(0.06, { planned: 200, lost: 100 }), OPTIONS)).toMatchObject({ points: 88, needed: 288 });
  });

  it("keeps within the budget, and ends where it is used up", () => {
    expect(nextStep(withWidth(0.5), { ...OPTIONS, budget: 130 * ROWS + 3 })).toMatchObject({ done: false, points: 30 });
    expect(nextStep(withWidth(0.5), { ...OPTIONS, budget: 100 * ROWS })).toMatchObject({ done: true, why: "budget" });
  });

  it("goes from one power of two to the next where the design wants that", () => {
    const doubling = { ...OPTIONS, powersOfTwo: true };
    expect(nextStep(withWidth(0.051, { planned: 128 }), doubling)).toMatchObject({ points: 128 });
    expect(nextStep(withWidth(0.051, { planned: 100 }), doubling)).toMatchObject({ points: 28 });
    expect(nextStep(withWidth(0.051, { planned: 128 }), { ...doubling, budget: 255 * ROWS })).toMatchObject({
      done: true,
      why: "budget",
    });
  });

  it("leads to the aim in few steps", () => {
    let current = sensitivity(20);
    let points = 20;
    const steps: number[] = [];
    for (let step = nextStep(current, OPTIONS); !step.done; step = nextStep(current, OPTIONS)) {
      points += step.points;
      steps.push(points);
      current = sensitivity(points);
    }
    expect(steps.length).toBeGreaterThan(2);
    expect(steps.length).toBeLessThan(12);
    const widths = current.outputs[0]!.indices.map(({ halfWidth }) => halfWidth!);
    expect(Math.max(...widths)).toBeLessThanOrEqual(0.05);
    expect(Math.max(...widths)).toBeGreaterThan(0.03); // not far beyond it
  });

  it("refuses an aim or a budget that is none, and indices without intervals", () => {
    expect(() => nextStep(withWidth(1), { ...OPTIONS, halfWidth: 0 })).toThrow("half-width");
    expect(() => nextStep(withWidth(1), { ...OPTIONS, budget: Number.NaN })).toThrow("budget");
    expect(() => nextStep(withWidth(1), { ...OPTIONS, indices: ["mu"] })).toThrow("no intervals of mu");
  });
});

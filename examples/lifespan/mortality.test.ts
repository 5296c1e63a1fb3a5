import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bodyMassIndex, hazardRatio, type Law, remainingYears, survival, survivalTable } from "./mortality.ts";

const women: Law = { makeham: 0.0005, gompertz: 5.34564e-5, slope: 0.0874982 };
const risk = { low: 20, high: 25, ratio_below: 1.885, ratio_above: 1.51 };

describe("survival", () => {
  // The ultimate part of the Standard Select Survival Model: Dickson, Hardy & Waters, "Actuarial Mathematics for Life
  // Contingent Risks", table D.1 (l_20 = 100,000).
  const standard: Law = { makeham: 0.00022, gompertz: 2.7e-6, slope: Math.log(1.124) };
  test.each([
    [60, 96634.1],
    [70, 91082.4],
    [80, 75657.2],
    [90, 41841.1],
    [100, 6248.2],
  ])("of 100,000 aged 20, a published life table has those at %i", (age, alive) => {
    expect(100_000 * survival(standard, 20, age - 20)).toBeCloseTo(alive, 1);
  });

  test("ten years and then ten more are twenty", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 90 }), fc.double({ min: 0.5, max: 3, noNaN: true }), (age, ratio) => {
        const twice = survival(women, age, 10, ratio) * survival(women, age + 10, 10, ratio);
        expect(twice).toBeCloseTo(survival(women, age, 20, ratio), 12);
      }),
    );
  });
});

describe("remainingYears", () => {
  test("is one over the hazard where age does not matter", () => {
    expect(remainingYears({ makeham: 0.25, gompertz: 1e-30, slope: 0.05 }, 40)).toBeCloseTo(4, 6);
  });

  test("agrees with a fine midpoint sum", () => {
    let sum = 0;
    for (let step = 0; step < 150_000; step++) sum += survival(women, 35, (step + 0.5) / 1000) / 1000;
    expect(remainingYears(women, 35)).toBeCloseTo(sum, 6);
  });

  test("falls with age and with the hazard ratio, and is never negative", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 119 }), fc.double({ min: 0.5, max: 20, noNaN: true }), (age, ratio) => {
        const years = remainingYears(women, age, ratio);
        expect(years).toBeGreaterThan(remainingYears(women, age + 1, ratio));
        expect(years).toBeGreaterThan(remainingYears(women, age, ratio * 1.1));
        expect(remainingYears(women, age + 1, ratio)).toBeGreaterThan(0);
      }),
    );
  });
});

test("survivalTable runs from the given age to 120", () => {
  const rows = survivalTable(women, 65);
  expect(rows.map((row) => row.attained_age)).toEqual(Array.from({ length: 56 }, (_, years) => 65 + years));
  expect(rows[0]?.probability).toBe(1);
  expect(rows[10]?.probability).toBe(survival(women, 65, 10));
  expect(survivalTable(women, 120)).toHaveLength(1);
});

test("hazardRatio is 1 in the healthy range and log-linear outside", () => {
  expect([20, 22.5, 25].map((bmi) => hazardRatio(bmi, risk))).toEqual([1, 1, 1]);
  expect(hazardRatio(30, risk)).toBeCloseTo(1.51, 12);
  expect(hazardRatio(35, risk)).toBeCloseTo(1.51 ** 2, 12);
  // Both are the Lancet paper's, at the midpoints of its ranges; the second was not fitted.
  expect(hazardRatio(16.75, risk)).toBeCloseTo(1.51, 2);
  expect(hazardRatio(19.25, risk)).toBeCloseTo(1.13, 1);
});

test("bodyMassIndex is weight over height squared", () => {
  expect(bodyMassIndex(81, 1.8)).toBeCloseTo(25, 12);
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomFrom } from "../random.ts";
import { centredDiscrepancy, leastDistance } from "./discrepancy.ts";
import { evenLevels, grid, oneAtATime } from "./grid.ts";
import { HALTON_DIMENSIONS, halton } from "./halton.ts";
import { MOST_OPTIMISED } from "./latin-exchange.ts";
import { latinHypercube } from "./latin-hypercube.ts";
import { morris } from "./morris.ts";
import { randomPermutation } from "./permutation.ts";
import { emptyColumns, LONGEST_SEQUENCE, type PointSet, pointBatches } from "./point-set.ts";
import { randomPoints } from "./random-points.ts";
import { saltelli, saltelliRows } from "./saltelli.ts";
import { sobol } from "./sobol.ts";
import { SOBOL_DIMENSIONS } from "./sobol-directions.ts";

const columnsOf = (points: PointSet, first: number, count: number) => {
  const columns = emptyColumns(points.dimensions, count);
  points.fill(columns, first);
  return columns;
};
const rowsOf = (points: PointSet, count = points.size, first = 0) => {
  const columns = columnsOf(points, first, count);
  return Array.from({ length: count }, (_, i) => columns.map((column) => column[i]!));
};
const seeds = fc.nat(Number.MAX_SAFE_INTEGER);
const axes = [evenLevels(3, true), evenLevels(4, false), evenLevels(2, true)];

const SETS: [name: string, make: (seed: number) => PointSet][] = [
  ["grid", () => grid(axes)],
  ["one at a time", () => oneAtATime(axes, [0.5, 0.5, 0.5])],
  ["random", (seed) => randomPoints(3, { seed })],
  ["Latin hypercube", (seed) => latinHypercube(700, 3, { seed })],
  ["optimised Latin hypercube", (seed) => latinHypercube(20, 3, { seed, optimise: "discrepancy" })],
  ["Sobol'", (seed) => sobol(3, { seed })],
  ["shifted Sobol'", (seed) => sobol(3, { seed, scramble: "shift" })],
  ["plain Sobol'", () => sobol(3, { scramble: "none" })],
  ["Halton", (seed) => halton(3, { seed })],
  ["plain Halton", () => halton(3, { scramble: "none" })],
  ["Morris", (seed) => morris(3, { seed })],
  ["Saltelli", (seed) => saltelli(3, { seed })],
];

describe.each(SETS)("%s", (_, make) => {
  it("in any parts, in any order, is the same as the whole, and stays in [0, 1]", () => {
    const size = Math.min(make(0).size, 700);
    fc.assert(
      fc.property(
        seeds,
        fc.array(fc.nat(size), { maxLength: 6 }),
        fc.integer({ min: 1, max: 200 }),
        (seed, cuts, batch) => {
          const whole = rowsOf(make(seed), size);
          for (const value of whole.flat()) expect(value >= 0 && value <= 1).toBe(true);
          const bounds = [0, ...cuts.sort((a, b) => a - b), size];
          const parts = bounds.slice(1).map((end, i) => ({ skip: bounds[i]!, take: end - bounds[i]!, batch }));
          const points = make(seed);
          const found: number[][] = [];
          for (const range of parts.reverse()) {
            for (const { first, columns } of pointBatches(points, range)) {
              for (let i = 0; i < columns[0]!.length; i++) found[first + i] = columns.map((column) => column[i]!);
            }
          }
          expect(found).toEqual(whole);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("refuses what lies beyond its end", () => {
    const points = make(1);
    const wanted = { skip: points.size - 1, take: 2 };
    expect(() => [...pointBatches(points, wanted)]).toThrow(/There are \d+ points/);
  });
});

describe("seeds", () => {
  it("give designs of their own; the same one gives the same for ever", () => {
    const seeded = SETS.filter(([name]) => !/grid|one at|plain/.test(name));
    const hash = (value: number) => Math.floor(value * 2 ** 32);
    for (const [name, make] of seeded) expect(rowsOf(make(1), 7), name).not.toEqual(rowsOf(make(2), 7));
    // a change here changes studies that are made again or continued: raise the major version
    const kept = Object.fromEntries(seeded.map(([name, make]) => [name, rowsOf(make(7), 1, 5)[0]!.map(hash)]));
    expect(kept).toMatchInlineSnapshot(`
      {
        "Halton": [
          2968607547,
          971985936,
          962758302,
        ],
        "Latin hypercube": [
          62584597,
          1307476144,
          4143882466,
        ],
        "Morris": [
          0,
          4294967296,
          1431655765,
        ],
        "Saltelli": [
          3038572244,
          2884533336,
          2767253896,
        ],
        "Sobol'": [
          2469768142,
          1378190495,
          2530976558,
        ],
        "optimised Latin hypercube": [
          424448300,
          850740472,
          3946210652,
        ],
        "random": [
          859545089,
          405267000,
          1614801723,
        ],
        "shifted Sobol'": [
          2304568544,
          527902932,
          836272908,
        ],
      }
    `);
  });
});

describe("grid", () => {
  it("has every combination once, the last axis fastest", () => {
    const rows = rowsOf(grid(axes));
    expect(rows).toHaveLength(24);
    expect(rows.slice(0, 3)).toEqual([
      [0, 0.125, 0],
      [0, 0.125, 1],
      [0, 0.375, 0],
    ]);
    expect(new Set(rows.map(String)).size).toBe(24);
  });

  it("refuses more points than can be counted, and an axis without levels", () => {
    const long = new Float64Array(2 ** 18);
    expect(() => grid([long, long, long])).toThrow(/points/);
    expect(() => grid([new Float64Array(0)])).toThrow(/levels/);
    expect(() => grid([])).toThrow(/dimensions/);
  });
});

describe("one at a time", () => {
  it("has the base, and each other level of each axis once", () => {
    expect(rowsOf(oneAtATime([evenLevels(3, true), evenLevels(2, false)], [0.5, 0.25]))).toEqual([
      [0.5, 0.25],
      [0, 0.25],
      [1, 0.25],
      [0.5, 0.75],
    ]);
  });
});

describe("Latin hypercube", () => {
  it.each(["none", "discrepancy", "maximin"] as const)("has one point in each stratum (optimised: %s)", (optimise) => {
    const sizes = fc.integer({ min: 1, max: optimise === "none" ? 3000 : 40 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 5 }), seeds, fc.boolean(), (n, dimensions, seed, centred) => {
        for (const column of columnsOf(latinHypercube(n, dimensions, { seed, centred, optimise }), 0, n)) {
          const strata = new Set(Array.from(column, (value) => Math.floor(value * n)));
          expect(strata.size).toBe(n);
          if (centred) expect(column.every((u) => Math.abs(((u * n) % 1) - 0.5) < 1e-9)).toBe(true);
        }
      }),
      { numRuns: optimise === "none" ? 40 : 10 },
    );
  });

  it("fills the cube more evenly when optimised, and parts near points by maximin", () => {
    for (const seed of [1, 2, 3]) {
      const of = (optimise: "none" | "discrepancy" | "maximin") =>
        columnsOf(latinHypercube(200, 8, { seed, optimise }), 0, 200);
      expect(centredDiscrepancy(of("discrepancy"))).toBeLessThan(0.0029);
      expect(centredDiscrepancy(of("none"))).toBeGreaterThan(0.006);
      expect(leastDistance(of("maximin"))).toBeGreaterThan(1.5 * leastDistance(of("none")));
    }
  });

  it("says how many points can be optimised", () => {
    expect(() => latinHypercube(MOST_OPTIMISED + 1, 2, { optimise: "maximin" })).toThrow(/too large to be optimised/);
    expect(() => latinHypercube(0, 2)).toThrow(/whole number from 1/);
  });
});

describe("random permutations", () => {
  it("have every number once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), seeds, (size, seed) => {
        const permuted = randomPermutation(size, randomFrom(seed, 0));
        const found = new Set(Array.from({ length: size }, (_, i) => permuted(i)));
        expect(found.size).toBe(size);
        expect(Math.max(...found)).toBe(size - 1);
      }),
      { numRuns: 50 },
    );
  });

  it("reach the largest size, and come back", () => {
    const permuted = randomPermutation(2 ** 32, randomFrom(1, 0));
    const found = new Set(Array.from({ length: 1000 }, (_, i) => permuted(2 ** 32 - 1 - i)));
    expect(found.size).toBe(1000);
    expect([...found].every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32)).toBe(true);
    expect(Math.max(...found)).toBeGreaterThan(2 ** 31);
  });

  it("are equally likely: chi-squared over all orders of 2 to 5", () => {
    for (const [size, orders, limit] of [
      [2, 2, 15.1],
      [3, 6, 25.7],
      [4, 24, 58.6],
      [5, 120, 189],
    ] as const) {
      const counts = new Map<string, number>();
      for (let seed = 0; seed < 200 * orders; seed++) {
        const permuted = randomPermutation(size, randomFrom(seed, 3));
        const order = Array.from({ length: size }, (_, i) => permuted(i)).join();
        counts.set(order, (counts.get(order) ?? 0) + 1);
      }
      expect(counts.size).toBe(orders);
      const chi = [...counts.values()].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
      expect(chi, `${size}`).toBeLessThan(limit); // 0.01 % lie beyond
    }
  });
});

describe("Sobol'", () => {
  /** All ways to share so many halvings among the dimensions. */
  const sharings = (halvings: number, dimensions: number): number[][] =>
    dimensions === 1
      ? [[halvings]]
      : Array.from({ length: halvings + 1 }, (_, own) => own).flatMap((own) =>
          sharings(halvings - own, dimensions - 1).map((rest) => [own, ...rest]),
        );

  /** t of the first dimensions: the sum of the degrees of the polynomials, each less 1. */
  it.each([
    [2, 8, 0],
    [3, 7, 1],
    [4, 8, 3],
  ])("is a (t, m, s)-net for s = %i: every elementary interval has its share", (s, m, t) => {
    for (const scramble of ["owen", "shift", "none"] as const) {
      for (const block of [0, 1, 5]) {
        const rows = rowsOf(sobol(s, { seed: 3, scramble }), 2 ** m, block * 2 ** m);
        for (const halvings of sharings(m - t, s)) {
          const counts = new Map<string, number>();
          for (const row of rows) {
            const cell = row.map((value, j) => Math.floor(value * 2 ** halvings[j]!)).join();
            counts.set(cell, (counts.get(cell) ?? 0) + 1);
          }
          expect(counts.size).toBe(2 ** (m - t));
          expect([...counts.values()].every((count) => count === 2 ** t)).toBe(true);
        }
      }
    }
  });

  it("halves every margin of all dimensions evenly", () => {
    for (const column of columnsOf(sobol(SOBOL_DIMENSIONS, { seed: 1 }), 64, 64)) {
      expect(new Set(Array.from(column, (value) => Math.floor(value * 64))).size).toBe(64);
    }
  });

  it("is scrambled so that a digit changes for half of all seeds, whatever the digits before it, and independently", () => {
    const tries = 4000;
    const plain = [0, 0.25, 0.5, 0.75, 0.125, 0.375, 0.625, 0.875].map((value) => Math.round(value * 8));
    const digits = Array.from({ length: tries }, (_, seed) => {
      const own = columnsOf(sobol(1, { seed }), 0, 8)[0]!;
      const from = columnsOf(sobol(1, { scramble: "none" }), 0, 8)[0]!;
      return plain.map((cell) => Math.floor(own[from.indexOf(cell / 8)]! * 8) ^ cell);
    });
    // flips of the first digit, of the second below each first one, of the third below each pair
    const flips = [
      digits.map((cells) => cells[0]! >> 2),
      ...[0, 2].map((cell) => digits.map((cells) => (cells[cell]! >> 1) & 1)),
      ...[0, 1, 2, 3].map((cell) => digits.map((cells) => cells[cell]! & 1)),
    ];
    const most = 4.5 / Math.sqrt(tries);
    const correlation = (a: number[], b: number[]) =>
      a.reduce((sum, value, i) => sum + (2 * value - 1) * (2 * b[i]! - 1), 0) / tries;
    for (const [i, flip] of flips.entries()) {
      expect(Math.abs(2 * (flip.reduce((sum, value) => sum + value, 0) / tries) - 1)).toBeLessThan(most);
      for (const other of flips.slice(i + 1)) expect(Math.abs(correlation(flip, other))).toBeLessThan(most);
    }
  });

  it("integrates a smooth function far better than random points", () => {
    const error = (make: (seed: number) => PointSet) => {
      let sum = 0;
      for (let seed = 0; seed < 10; seed++) {
        const rows = rowsOf(make(seed), 1024);
        const mean = rows.reduce((total, row) => total + row.reduce((product, u) => product * (0.5 + u), 1), 0) / 1024;
        sum += (mean - 1) ** 2;
      }
      return Math.sqrt(sum / 10);
    };
    expect(error((seed) => sobol(5, { seed }))).toBeLessThan(0.05 * error((seed) => randomPoints(5, { seed })));
  });

  it("reaches its last point, and says how many dimensions there are", () => {
    const last = rowsOf(sobol(2, { scramble: "none" }), 2, LONGEST_SEQUENCE - 2);
    expect(last[1]![0]).toBe(2 ** -32); // the Gray code of 2^32 − 1 has the last digit alone
    expect(last[0]).not.toEqual(last[1]);
    expect(() => sobol(SOBOL_DIMENSIONS + 1)).toThrow(/dimensions of a Sobol' design/);
  });
});

describe("Halton", () => {
  it("has each digit of each base equally often when scrambled, too", () => {
    for (const seed of [1, 2]) {
      const columns = columnsOf(halton(4, { seed }), 0, 2 * 3 * 5 * 7 * 30);
      for (const [j, base] of [2, 3, 5, 7].entries()) {
        const counts = new Array<number>(base).fill(0);
        for (const value of columns[j]!) counts[Math.floor(value * base)]!++;
        expect(new Set(counts).size).toBe(1);
      }
    }
  });

  it("has distinct points far on, and says how many dimensions there are", () => {
    const far = columnsOf(halton(3, { seed: 5 }), LONGEST_SEQUENCE - 100, 100);
    for (const column of far) expect(new Set(column).size).toBe(100);
    expect(() => halton(HALTON_DIMENSIONS + 1)).toThrow(/dimensions of a Halton design/);
  });
});

describe("Morris", () => {
  it("moves every coordinate once a trajectory, by half of the levels, within them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.constantFrom(2, 4, 6, 10), seeds, (dimensions, levels, seed) => {
        const rows = rowsOf(morris(dimensions, { seed, levels }), 4 * (dimensions + 1));
        for (let start = 0; start < rows.length; start += dimensions + 1) {
          const moved = new Set<number>();
          for (let i = start + 1; i <= start + dimensions; i++) {
            const changed = rows[i]!.flatMap((value, j) => (value === rows[i - 1]![j] ? [] : [j]));
            expect(changed).toHaveLength(1);
            moved.add(changed[0]!);
            const step = Math.abs(rows[i]![changed[0]!]! - rows[i - 1]![changed[0]!]!);
            expect(step).toBeCloseTo(levels / (2 * (levels - 1)), 12);
          }
          expect(moved.size).toBe(dimensions);
        }
        for (const value of rows.flat()) expect((value * (levels - 1)) % 1).toBeCloseTo(0, 9);
      }),
      { numRuns: 30 },
    );
  });

  it("starts at all levels, goes up and down, in all orders", () => {
    const rows = rowsOf(morris(3, { seed: 4 }), 4 * 2000);
    const starts = new Map<number, number>();
    const orders = new Map<string, number>();
    for (let start = 0; start < rows.length; start += 4) {
      const first = rows[start]![0]!;
      starts.set(first, (starts.get(first) ?? 0) + 1);
      const order = [1, 2, 3].map((i) => rows[start + i]!.findIndex((value, j) => value !== rows[start + i - 1]![j]));
      orders.set(order.join(), (orders.get(order.join()) ?? 0) + 1);
    }
    expect(starts.size).toBe(4);
    for (const count of starts.values()) expect(Math.abs(count - 500)).toBeLessThan(90);
    expect(orders.size).toBe(6);
    for (const count of orders.values()) expect(Math.abs(count - 333)).toBeLessThan(80);
  });

  it("refuses an odd number of levels", () => {
    expect(() => morris(2, { levels: 5 })).toThrow(/even number of levels/);
  });
});

describe("Saltelli", () => {
  it.each([true, false])("crosses a and b (second order: %s)", (secondOrder) => {
    const rows = saltelliRows(3, secondOrder);
    const base = rowsOf(sobol(6, { seed: 2 }), 4);
    const crossed = rowsOf(saltelli(3, { seed: 2, secondOrder }), 4 * rows);
    for (const [i, point] of base.entries()) {
      const [a, b] = [point.slice(0, 3), point.slice(3)];
      const mixed = (of: number[], other: number[]) =>
        of.map((_, k) => of.map((value, j) => (j === k ? other[j]! : value)));
      const expected = [a, ...mixed(a, b), ...(secondOrder ? mixed(b, a) : []), b];
      expect(crossed.slice(i * rows, (i + 1) * rows)).toEqual(expected);
    }
  });
});

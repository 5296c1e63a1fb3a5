import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fixedWave,
  GROWTH,
  MAX_RANGES,
  type Measured,
  measuredWave,
  PROBE_BUDGET_MS,
  probeWave,
  type Wave,
} from "./chunks.ts";
import type { Range } from "./tree.ts";

/** Ranges in order that do not touch, as `subtract` gives them. */
const todos = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2_500 })), { minLength: 1, maxLength: 20 })
  .map((steps) => {
    let at = 0;
    return steps.map(([gap, length]): Range => {
      const from = at + gap;
      at = from + length;
      return { from, to: at };
    });
  });
const measures = fc.record({
  specs: fc.integer({ min: 1, max: 1_000_000 }),
  seconds: fc.oneof(fc.constant(0), fc.double({ min: 1e-7, max: 1e6, noNaN: true })),
});
const slots = fc.integer({ min: 1, max: 1024 });

const size = (ranges: readonly Range[]) => ranges.reduce((sum, { from, to }) => sum + to - from, 0);

/** The first `most` positions of ranges. */
function beginning(ranges: readonly Range[], most: number): Range[] {
  return ranges.flatMap(({ from, to }, i) => {
    const end = Math.min(to, from + most - size(ranges.slice(0, i)));
    return end > from ? [{ from, to: end }] : [];
  });
}

/** What holds of every wave: its ranges are pieces of `todo`, from its beginning, in order, whole unless too many. */
function expectSoundWave(wave: Wave, todo: readonly Range[]): void {
  const glued: Range[] = [];
  let last = -1;
  for (const { from, to } of wave.ranges) {
    expect(to - from).toBeGreaterThanOrEqual(1);
    expect(from).toBeGreaterThanOrEqual(last);
    if (from === last && glued.length > 0) glued.at(-1)!.to = to;
    else glued.push({ from, to });
    last = to;
  }
  expect(wave.ranges.length).toBeLessThanOrEqual(MAX_RANGES);
  if (wave.ranges.length < MAX_RANGES) {
    expect(glued).toEqual(todo);
    return;
  }
  const cut = glued.at(-1)!;
  expect(glued.slice(0, -1)).toEqual(todo.slice(0, glued.length - 1));
  expect(cut.from).toBe(todo[glued.length - 1]!.from);
  expect(cut.to).toBeLessThanOrEqual(todo[glued.length - 1]!.to);
}

describe("probeWave", () => {
  it("covers all there is, evenly, each leaf with a time budget", () => {
    fc.assert(
      fc.property(todos, fc.integer({ min: 0, max: 300 }), (todo, chunks) => {
        const wave = probeWave(todo, chunks);
        expectSoundWave(wave, todo);
        expect(wave.timeBudgetMs).toBe(PROBE_BUDGET_MS);
        const most = Math.max(1, Math.ceil(size(todo) / Math.max(1, chunks)));
        for (const range of wave.ranges) expect(size([range])).toBeLessThanOrEqual(most);
        expect(wave.ranges.length).toBeLessThanOrEqual(Math.max(1, chunks) + todo.length);
      }),
    );
  });
});

describe("fixedWave", () => {
  it("cuts to the size that was asked for, with no time budget", () => {
    fc.assert(
      fc.property(todos, fc.integer({ min: 1, max: 400 }), (todo, chunkSize) => {
        const wave = fixedWave(todo, chunkSize);
        expectSoundWave(wave, todo);
        expect(wave.timeBudgetMs).toBeNull();
        for (const { from, to } of wave.ranges) {
          const endsRange = todo.some((range) => range.to === to);
          if (!endsRange) expect(to - from).toBe(chunkSize);
          expect(to - from).toBeLessThanOrEqual(chunkSize);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("stops at the largest plan and leaves the rest for the next wave", () => {
    const wave = fixedWave([{ from: 0, to: MAX_RANGES + 500 }], 1);
    expect(wave.ranges).toHaveLength(MAX_RANGES);
    expect(wave.ranges.at(-1)).toEqual({ from: MAX_RANGES - 1, to: MAX_RANGES });
  });
});

describe("measuredWave", () => {
  it("covers what it can for any measure, with a finite time budget", () => {
    fc.assert(
      fc.property(todos, measures, slots, (todo, measured, count) => {
        const wave = measuredWave(todo, measured, count);
        expectSoundWave(wave, beginning(todo, GROWTH * Math.max(count, measured.specs)));
        expect(wave.timeBudgetMs).toBeGreaterThan(0);
        expect(Number.isSafeInteger(wave.timeBudgetMs)).toBe(true);
      }),
    );
  });

  const todo = [{ from: 0, to: 1_000_000 }];
  const rate = (specsPerSecond: number): Measured => ({ specs: specsPerSecond * 10, seconds: 10 });

  it("bounds a chunk to ten seconds of work", () => {
    for (const specsPerSecond of [0.01, 1, 100, 10_000]) {
      const { ranges } = measuredWave([{ from: 0, to: 20_000 }], rate(specsPerSecond), 2);
      const longest = Math.max(...ranges.map(({ from, to }) => to - from));
      expect(longest).toBeLessThanOrEqual(Math.max(1, specsPerSecond * 10));
    }
  });

  it("cuts no more than a scant measure can answer for", () => {
    const { ranges } = measuredWave(todo, { specs: 2, seconds: 0.6 }, 2); // a probe that met a busy machine
    expect(size(ranges)).toBe(2 * GROWTH);
    expect(size(measuredWave(todo, { specs: 20_000, seconds: 0.6 }, 2).ranges)).toBe(1_000_000);
  });

  it("gives a long spec a chunk of its own", () => {
    const { ranges } = measuredWave([{ from: 0, to: 100 }], rate(0.01), 8);
    expect(ranges).toHaveLength(100);
  });

  it("shrinks its chunks toward the end, so that slots end together", () => {
    const { ranges } = measuredWave(todo, rate(10_000), 4);
    const sizes = ranges.map(({ from, to }) => to - from);
    expect(sizes.every((own, i) => i === 0 || own <= sizes[i - 1]!)).toBe(true);
    expect(sizes.at(-1)!).toBeLessThan(sizes[0]! / 10);
    expect(ranges.length).toBeLessThan(300);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NodePath } from "../run/layout.ts";
import { cover } from "./gather/sources.ts";
import { childPaths, disjoint, nodeSize, type Range, runPosition, splits, subtract } from "./tree.ts";

const recursions = fc.record({ factor: fc.integer({ min: 1, max: 7 }), max_depth: fc.integer({ min: 0, max: 4 }) });
const chunkSizes = fc.integer({ min: 1, max: 30 });

/** The nodes that hold specs themselves. */
function leafNodes(total: number, recursion: { factor: number; max_depth: number }, chunkSize: number): NodePath[] {
  const visit = (path: NodePath): NodePath[] =>
    splits(nodeSize(total, path), path.length, recursion, chunkSize)
      ? childPaths(path, recursion.factor).flatMap(visit)
      : [path];
  return visit([]);
}

describe("the tree of a run", () => {
  it("puts every position into exactly one leaf node", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 700 }), recursions, chunkSizes, (total, recursion, chunkSize) => {
        const positions = leafNodes(total, recursion, chunkSize).flatMap((path) =>
          Array.from({ length: nodeSize(total, path) }, (_, at) => runPosition(path, at)),
        );
        expect(positions.sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, i) => i));
      }),
    );
  });

  it("agrees on sizes and positions with slicing arrays", () => {
    const paths = fc
      .array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 })
      .chain((factors) =>
        fc.tuple(...factors.map((factor) => fc.record({ factor: fc.constant(factor), offset: fc.nat(factor - 1) }))),
      );
    fc.assert(
      fc.property(fc.nat(300), paths, (total, path) => {
        let specs = Array.from({ length: total }, (_, i) => i);
        for (const { factor, offset } of path) specs = specs.filter((_, i) => i % factor === offset);
        expect(nodeSize(total, path)).toBe(specs.length);
        expect(specs.map((_, at) => runPosition(path, at))).toEqual(specs);
      }),
    );
  });

  it("has no empty node, nor one below its depth", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), recursions, chunkSizes, (total, recursion, chunkSize) => {
        for (const path of leafNodes(total, recursion, chunkSize)) {
          expect(nodeSize(total, path)).toBeGreaterThan(0);
          expect(path.length).toBeLessThanOrEqual(recursion.max_depth);
        }
      }),
    );
  });

  it("splits only above factor and chunk, while there is depth left", () => {
    const recursion = { factor: 10, max_depth: 2 };
    expect(splits(11, 0, recursion)).toBe(true);
    expect(splits(10, 0, recursion)).toBe(false);
    expect(splits(11, 2, recursion)).toBe(false);
    expect(splits(50, 0, recursion, 50)).toBe(false);
    expect(splits(51, 0, recursion, 50)).toBe(true);
    expect(splits(1000, 0, { factor: 1, max_depth: 5 })).toBe(false); // would be its own child for ever
  });

  it("of a million specs by 32 twice keeps its leaf nodes even", () => {
    const sizes = leafNodes(1_000_000, { factor: 32, max_depth: 2 }, 1).map((path) => nodeSize(1_000_000, path));
    expect(sizes).toHaveLength(1024);
    expect(new Set(sizes)).toEqual(new Set([976, 977]));
  });
});

describe("subtract", () => {
  const ranges = fc.array(
    fc.tuple(fc.nat(60), fc.nat(20)).map(([from, length]): Range => ({ from, to: from + length })),
    { maxLength: 12 },
  );
  const positions = (all: readonly Range[]) =>
    all.flatMap(({ from, to }) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i));

  it("leaves the positions that are not done, in order, as few ranges", () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(40), ranges, (from, length, done) => {
        const whole = { from, to: from + length };
        const isDone = new Set(positions(done));
        const rest = subtract(whole, done);
        expect(positions(rest)).toEqual(positions([whole]).filter((at) => !isDone.has(at)));
        for (const range of rest) expect(range.to).toBeGreaterThan(range.from);
        for (let i = 1; i < rest.length; i++) expect(rest[i]!.from).toBeGreaterThan(rest[i - 1]!.to);
      }),
    );
  });

  it("leaves what it was given as it was", () => {
    const done = [
      { from: 5, to: 6 },
      { from: 0, to: 2 },
    ];
    expect(subtract({ from: 0, to: 8 }, done)).toEqual([
      { from: 2, to: 5 },
      { from: 6, to: 8 },
    ]);
    expect(done[0]).toEqual({ from: 5, to: 6 });
  });
});

describe("disjoint", () => {
  const sizes = fc.integer({ min: 1, max: 12 });
  const ranges = fc.array(
    fc.tuple(fc.nat(13), fc.nat(6)).map(([from, length]): Range => ({ from, to: from + length })),
    { maxLength: 9 },
  );
  const length = (all: readonly Range[]) => all.reduce((sum, { from, to }) => sum + to - from, 0);

  it("chooses ranges that do not overlap and, as a search of all choices says, cover most", () => {
    const most = (rest: readonly Range[], size: number): number => {
      const [first, ...others] = rest;
      if (!first) return 0;
      const without = most(others, size);
      if (first.to > size || first.to <= first.from) return without;
      const apart = others.filter(({ from, to }) => to <= first.from || from >= first.to);
      return Math.max(without, first.to - first.from + most(apart, size));
    };
    fc.assert(
      fc.property(sizes, ranges, (size, all) => {
        const chosen = disjoint(all, size);
        chosen.forEach((range, i) => {
          expect(all).toContain(range);
          expect(range.from).toBeGreaterThanOrEqual(chosen[i - 1]?.to ?? 0);
          expect(range.to).toBeLessThanOrEqual(size);
        });
        expect(length(chosen)).toBe(most(all, size));
      }),
    );
  });

  it("leaves gaps which, once filled in any pieces, make the whole fit together", () => {
    fc.assert(
      fc.property(sizes, ranges, fc.nat(4), (size, all, piece) => {
        const gaps = subtract({ from: 0, to: size }, disjoint(all, size));
        const filled = gaps.flatMap(({ from, to }) => {
          const cut = Math.min(to, from + piece);
          return [
            { from, to: cut },
            { from: cut, to },
          ].filter((range) => range.to > range.from);
        });
        expect(cover([...all, ...filled], size)).toBeDefined();
      }),
    );
  });
});

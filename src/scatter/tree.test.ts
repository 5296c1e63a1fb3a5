import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NodePath } from "../run/layout.ts";
import { childPaths, cover, disjoint, nodeSize, type Range, runPosition, splits, subtract } from "./tree.ts";

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

const range = (from: number, to: number) => ({ from, to });

/** Cut points → ranges that follow one another from 0 to `size`. */
function pieces(size: number, cuts: readonly number[]) {
  const at = [...new Set([0, ...cuts.filter((cut) => cut > 0 && cut < size), size])].sort((a, b) => a - b);
  return at.slice(1).map((to, i) => range(at[i]!, to));
}

describe("cover", () => {
  const sizes = fc.integer({ min: 1, max: 40 });
  const noise = fc.array(fc.tuple(fc.nat(45), fc.nat(20)).map(([from, length]) => range(from, from + length)));

  it("finds ranges that follow one another, whatever lies among them", () => {
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(40)), noise, fc.nat(), (size, cuts, others, seed) => {
        const whole = pieces(size, cuts);
        const parts = [...whole, ...others].sort(
          (a, b) => ((a.from * 31 + a.to * 17 + seed) % 13) - ((b.from * 31 + b.to * 17 + seed) % 13),
        );
        const chosen = cover(parts, size);
        expect(chosen).toBeDefined();
        expect(chosen!.map(({ from }) => from)).toEqual([0, ...chosen!.slice(0, -1).map(({ to }) => to)]);
        expect(chosen!.at(-1)!.to).toBe(size);
        for (const part of chosen!) expect(parts).toContain(part);
      }),
    );
  });

  it("is undefined when nothing fits, as a search of all ways says", () => {
    const fits = (parts: readonly { from: number; to: number }[], size: number): boolean => {
      const reached = new Set([0]);
      for (let at = 0; at < size; at++) {
        if (reached.has(at)) for (const part of parts) if (part.from === at && part.to > at) reached.add(part.to);
      }
      return reached.has(size);
    };
    fc.assert(
      fc.property(sizes, noise, (size, parts) => {
        expect(cover(parts, size) !== undefined).toBe(fits(parts, size));
      }),
    );
  });

  it("prefers the longest, and goes back from a dead end", () => {
    expect(cover([range(0, 2), range(0, 5), range(2, 5), range(5, 9)], 9)).toEqual([range(0, 5), range(5, 9)]);
    expect(cover([range(0, 6), range(0, 4), range(4, 9), range(6, 8)], 9)).toEqual([range(0, 4), range(4, 9)]);
  });

  it("takes no empty part and none that reaches beyond the node", () => {
    expect(cover([range(0, 5), range(5, 5)], 9)).toBeUndefined();
    expect(cover([range(0, 12)], 9)).toBeUndefined();
    expect(cover([], 0)).toEqual([]);
  });

  it("does not try the same dead end over and over", () => {
    const parts = Array.from({ length: 60 }, (_, from) => [range(from, from + 1), range(from, from + 2)]).flat();
    expect(cover(parts, 70)).toBeUndefined(); // 2^60 ways, were they tried one by one
  });
});

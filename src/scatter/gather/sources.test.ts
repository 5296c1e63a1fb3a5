import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cover } from "./sources.ts";

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

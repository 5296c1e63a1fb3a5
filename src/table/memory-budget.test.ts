import { describe, expect, it } from "vitest";
import { MemoryBudget } from "./memory-budget.ts";

/** Work that goes on until it is told to end, and how much of it there is at a time. */
function bench(budget: MemoryBudget) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  let used = 0;
  let most = 0;
  const start = (name: string, mb: number) =>
    budget.use(mb, async (given) => {
      begun.push(`${name}:${given}`);
      used += given;
      most = Math.max(most, used);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      used -= given;
    });
  return { begun, start, end: (name: string) => ends.get(name)!(), most: () => most };
}

describe("a memory budget", () => {
  it("lets work be under way together while it has enough, and the rest wait in turn", async () => {
    const { begun, start, end, most } = bench(new MemoryBudget(100));
    const a = start("a", 60);
    const b = start("b", 40);
    const c = start("c", 30);
    const d = start("d", 30);
    expect(begun).toEqual(["a:60", "b:40"]);
    end("b");
    await b;
    expect(begun).toEqual(["a:60", "b:40", "c:30"]);
    end("a");
    await a;
    expect(begun.at(-1)).toBe("d:30");
    end("c");
    end("d");
    await Promise.all([c, d]);
    expect(most()).toBe(100);
  });

  it("lets nobody overtake what waits for much", async () => {
    const { begun, start, end } = bench(new MemoryBudget(100));
    const a = start("a", 50);
    const large = start("large", 80);
    const small = start("small", 10);
    expect(begun).toEqual(["a:50"]);
    end("a");
    await a;
    expect(begun).toEqual(["a:50", "large:80", "small:10"]);
    end("large");
    end("small");
    await Promise.all([large, small]);
  });

  it("gives what wants more than there is all of it, alone", async () => {
    const { begun, start, end } = bench(new MemoryBudget(100));
    const a = start("a", 384);
    const b = start("b", 1);
    expect(begun).toEqual(["a:100"]);
    end("a");
    await a;
    expect(begun).toEqual(["a:100", "b:1"]);
    end("b");
    await b;
  });

  it("gives back what failed work had", async () => {
    const budget = new MemoryBudget(100);
    await expect(budget.use(100, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await budget.use(100, async (mb) => mb)).toBe(100);
  });
});

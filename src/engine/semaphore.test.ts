import { setImmediate as tick } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Semaphore } from "./semaphore.ts";

describe("Semaphore", () => {
  it("runs so much at a time, first come first served, and more when its limit grows", async () => {
    const semaphore = new Semaphore(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const work = [0, 1, 2, 3, 4].map((i) =>
      semaphore.use(async () => {
        begun.push(i);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (i === 0) throw new Error("zero");
      }),
    );
    const outcomes = Promise.allSettled(work);
    await tick();
    expect(begun).toEqual([0, 1]);
    ends.shift()!();
    await tick();
    expect(begun).toEqual([0, 1, 2]);
    semaphore.setLimit(4);
    await tick();
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    for (const end of ends) end();
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", ...Array(4).fill("fulfilled")]);
  });
});

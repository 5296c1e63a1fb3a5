import { describe, expect, it } from "vitest";
import { engineSuite } from "../engine.testsuite.ts";
import { SlotPool } from "../slot-pool.ts";
import { defaultSlots, localEngine } from "./local.ts";

engineSuite("localEngine", 3, (programs) => ({ engine: localEngine(programs, { slots: 3 }) }));

describe("localEngine", () => {
  it("takes every processor below eight, else one less", () => {
    expect([1, 2, 7, 8, 64].map(defaultSlots)).toEqual([1, 2, 7, 7, 63]);
    expect(localEngine({}).slots).toBe(defaultSlots());
  });

  it.each([0, -1, 1.5, 1025, Number.NaN])("refuses %d slots", (slots) => {
    expect(() => localEngine({}, { slots })).toThrow("slots must be a whole number from 1 to 1024");
  });

  it("needs no workers, and says so", async () => {
    await expect(localEngine({}).serve()).rejects.toMatchObject({ code: "engine", hint: expect.any(String) });
  });
});

describe("SlotPool", () => {
  it("serves first come first, lowest slot first, and frees a slot whose work throws", async () => {
    const pool = new SlotPool(2);
    const order: string[] = [];
    const work = (name: string, fail = false) =>
      pool.use(async (slot) => {
        order.push(`${name}@${slot}`);
        await Promise.resolve();
        if (fail) throw new Error(name);
      });
    await Promise.allSettled([work("a", true), work("b", true), work("c"), work("d")]);
    expect(order.map((entry) => entry[0])).toEqual(["a", "b", "c", "d"]);
    expect(order.slice(0, 2)).toEqual(["a@0", "b@1"]);
    await work("e");
    expect(order).toHaveLength(5);
  });
});

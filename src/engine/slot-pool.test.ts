import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SlotPool } from "./slot-pool.ts";

describe("SlotPool", () => {
  it("runs no more at once than it has slots, each with a number of its own", async () => {
    const pool = new SlotPool(3);
    const held = new Set<number>();
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, () =>
        pool.use(async (slot) => {
          expect(held.has(slot)).toBe(false);
          held.add(slot);
          most = Math.max(most, held.size);
          await sleep(1);
          held.delete(slot);
        }),
      ),
    );
    expect(most).toBe(3);
  });

  it("gives a slot to the next when it is released, and only once", async () => {
    const pool = new SlotPool(1);
    const order: string[] = [];
    await Promise.all([
      pool.use(async (_slot, release) => {
        order.push("first works");
        release();
        release();
        await sleep(20);
        order.push("first ends");
      }),
      pool.use(async () => {
        order.push("second works");
        await sleep(40);
        order.push("second ends");
      }),
      pool.use(async () => {
        order.push("third");
      }),
    ]);
    expect(order).toEqual(["first works", "second works", "first ends", "second ends", "third"]);
  });

  it("lets no more trail behind than it has slots", async () => {
    const pool = new SlotPool(2);
    let [under, most] = [0, 0];
    await Promise.all(
      Array.from({ length: 12 }, () =>
        pool.use(async (_slot, release) => {
          most = Math.max(most, ++under);
          release();
          await sleep(5);
          under--;
        }),
      ),
    );
    expect(most).toBe(4);
  });

  it("gives the slot back when the work fails", async () => {
    const pool = new SlotPool(1);
    await expect(pool.use(async () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await pool.use(async (slot) => slot)).toBe(0);
  });
});

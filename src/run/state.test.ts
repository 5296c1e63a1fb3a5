import { beforeEach, describe, expect, it } from "vitest";
import { claimRun } from "../allocate/claim.ts";
import { memoryStorage } from "../storage/memory.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import { RunLayout } from "./layout.ts";
import { assertEpoch, assertFinal, beginFinal, readState, takeOver, updateState } from "./state.ts";

const NOW = new Date("2026-01-02T03:04:59.500Z");
let storage: Storage;
beforeEach(() => {
  storage = memoryStorage();
});
const claim = () => claimRun(storage, "study", "v1.0.0", () => NOW);

describe("claimRun", () => {
  it("takes the present second, then the next that are free, over the minute too", async () => {
    const claimed = [await claim(), await claim(), await claim()];
    expect(claimed.map(({ id }) => id.timestamp)).toEqual([
      "2026-01-02_03-04-59",
      "2026-01-02_03-05-00",
      "2026-01-02_03-05-01",
    ]);
  });

  it("gives claims of one moment seconds of their own", async () => {
    const claimed = await Promise.all(Array.from({ length: 10 }, claim));
    expect(new Set(claimed.map(({ experimentId }) => experimentId)).size).toBe(10);
  });

  it("passes over a run of Python Scythe, which has no state", async () => {
    const theirs = new RunLayout({ name: "study", version: "v1.0.0", timestamp: "2026-01-02_03-04-59" });
    await storage.put(theirs.specs, "theirs");
    expect((await claim()).id.timestamp).toBe("2026-01-02_03-05-00");
    expect(await listAll(storage, theirs.key(""))).toHaveLength(1);
  });

  it("uses the same second for another version or name", async () => {
    const others = [
      await claim(),
      await claimRun(storage, "study", "v1.0.1", () => NOW),
      await claimRun(storage, "other", "v1.0.0", () => NOW),
    ];
    expect(new Set(others.map(({ id }) => id.timestamp)).size).toBe(1);
  });
});

describe("state.yml", () => {
  it("begins as allocating, and keeps what a change does not name", async () => {
    const layout = await claim();
    expect(await readState(storage, layout)).toMatchObject({ status: "allocating", epoch: 0, generation: 0 });
    await updateState(storage, layout, () => ({ status: "allocated" }));
    const state = await updateState(storage, layout, () => ({ generation: 2 }));
    expect(state).toMatchObject({ status: "allocated", epoch: 0, generation: 2 });
    expect(await readState(storage, layout)).toEqual(state);
  });

  it("is not written when there is nothing to change, and is not made anew", async () => {
    const layout = await claim();
    const before = await storage.get(layout.state);
    await updateState(storage, layout, () => undefined);
    expect(await storage.get(layout.state)).toEqual(before);
    const none = new RunLayout({ name: "none", version: "v1.0.0", timestamp: "2026-01-02_03-04-59" });
    await expect(updateState(storage, none, () => ({ epoch: 1 }))).rejects.toMatchObject({ code: "not_found" });
    expect(await readState(storage, none)).toBeUndefined();
  });

  it("loses no change of many writers", async () => {
    const layout = await claim();
    await Promise.all(
      Array.from({ length: 20 }, () =>
        updateState(storage, layout, ({ generation }) => ({ generation: generation + 1 })),
      ),
    );
    expect((await readState(storage, layout))?.generation).toBe(20);
  });

  it("gives each driver an epoch of its own, the highest alone may commit", async () => {
    const layout = await claim();
    const drivers = await Promise.all(Array.from({ length: 5 }, () => takeOver(storage, layout, "local")));
    expect(drivers.map(({ epoch }) => epoch).sort()).toEqual([1, 2, 3, 4, 5]);
    expect((await assertEpoch(storage, layout, 5))?.epoch).toBe(5);
    for (const epoch of [1, 2, 3, 4]) {
      await expect(assertEpoch(storage, layout, epoch)).rejects.toMatchObject({ code: "conflict" });
    }
  });

  it("of a complete run cannot be taken over", async () => {
    const layout = await claim();
    await updateState(storage, layout, () => ({ status: "complete" }));
    await expect(takeOver(storage, layout, "local")).rejects.toMatchObject({ code: "conflict" });
    expect((await readState(storage, layout))?.epoch).toBe(0);
  });
});

describe("what is final about a run", () => {
  it("is written by the last attempt of the last driver alone", async () => {
    const layout = await claim();
    await takeOver(storage, layout, "inline");
    await beginFinal(storage, layout, 1, "a");
    await beginFinal(storage, layout, 1, "b");
    await expect(assertFinal(storage, layout, 1, "a")).rejects.toMatchObject({ code: "conflict" });
    await assertFinal(storage, layout, 1, "b");
    await takeOver(storage, layout, "inline");
    expect((await readState(storage, layout))?.final_attempt).toBeNull();
    await beginFinal(storage, layout, 2, "c");
    await expect(beginFinal(storage, layout, 1, "d")).rejects.toMatchObject({ code: "conflict" });
    expect((await readState(storage, layout))?.final_attempt).toBe("c");
  });
});

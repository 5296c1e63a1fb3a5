import { describe, expect, it, vi } from "vitest";
import { RunLayout } from "../run/layout.ts";
import { memoryStorage } from "../storage/memory.ts";
import { latestWave, listParts, recordWave } from "./plan.ts";

const layout = new RunLayout({ name: "study", version: "v1.0.0", timestamp: "2026-01-02_03-04-05" });
const node = [{ factor: 4, offset: 2 }];
const wave = (...ranges: [number, number][]) => ({
  ranges: ranges.map(([from, to]) => ({ from, to })),
  timeBudgetMs: 300,
});

describe("the waves that a node has planned", () => {
  it("are what the first writer recorded, for all that come later", async () => {
    const storage = memoryStorage();
    const plans = Array.from({ length: 8 }, (_, i) => wave([0, i + 1]));
    const recorded = await Promise.all(plans.map((plan) => recordWave(storage, layout, node, 0, 0, plan, 1)));
    expect(new Set(recorded.map(({ ranges }) => JSON.stringify(ranges))).size).toBe(1);
    expect(await latestWave(storage, layout, node, 0)).toEqual(recorded[0]);
  });

  it("are told apart by node and generation, the newest by its number", async () => {
    const storage = memoryStorage();
    await recordWave(storage, layout, node, 0, 9, wave([0, 1]), 1);
    await recordWave(storage, layout, node, 0, 10, { ranges: [{ from: 1, to: 2 }], timeBudgetMs: null }, 1);
    await recordWave(storage, layout, [], 0, 11, wave([2, 3]), 1);
    await recordWave(storage, layout, node, 1, 12, wave([3, 4]), 1);
    expect(await latestWave(storage, layout, node, 0)).toEqual({
      number: 10,
      ranges: [{ from: 1, to: 2 }],
      timeBudgetMs: null,
    });
    expect((await latestWave(storage, layout, [], 0))?.number).toBe(11);
    expect(await latestWave(storage, layout, [{ factor: 4, offset: 3 }], 0)).toBeUndefined();
  });

  it("plan nothing any more once they are damaged, in whatever way, and the next has another number", async () => {
    const storage = memoryStorage();
    const key = layout.wave([], 0, 4);
    await recordWave(storage, layout, [], 0, 4, { ranges: [{ from: 0, to: 64 }], timeBudgetMs: null }, 1);
    const { body } = await storage.get(key);
    const warnings: string[] = [];
    vi.spyOn(process, "emitWarning").mockImplementation((text) => void warnings.push(String(text)));
    for (const at of Array.from(body.keys())) {
      const harmed = new Uint8Array(body);
      harmed[at]! ^= 1;
      for (const bytes of [harmed, body.slice(0, at)]) {
        await storage.put(key, bytes);
        expect(await latestWave(storage, layout, [], 0)).toEqual({ number: 4, ranges: [], timeBudgetMs: null });
      }
    }
    expect(warnings[0]).toContain(storage.uriOf(key));
    vi.restoreAllMocks();
  });
});

describe("the parts of a node", () => {
  it("are those of one generation and no other node, in order of position, the longer first", async () => {
    const storage = memoryStorage();
    const put = (path: typeof node, generation: number, from: number, to: number) =>
      storage.put(layout.part(path, { generation, from, to, ok: to - from, failed: 0 }), "");
    await put(node, 0, 100, 200);
    await put(node, 0, 5, 100);
    await put(node, 0, 0, 5);
    await put(node, 0, 5, 50);
    await put(node, 1, 0, 5);
    await put([{ factor: 4, offset: 1 }], 0, 0, 9);
    await storage.put(layout.partTable(node, { generation: 0, from: 0, to: 5 }, "errors", "abc"), "");
    const parts = await listParts(storage, layout, node, 0);
    expect(parts.map(({ from, to }) => [from, to])).toEqual([
      [0, 5],
      [5, 100],
      [5, 50],
      [100, 200],
    ]);
    for (const { key } of parts) expect(await storage.head(key)).toBeDefined();
  });
});

import { expect, it } from "vitest";
import { memoryStorage } from "../storage/memory.ts";
import { RunLayout } from "./layout.ts";
import { countedParts } from "./part-counts.ts";

it("counts each spec once, though chunks ran twice with other counts and other ends", async () => {
  const storage = memoryStorage();
  const layout = new RunLayout({ name: "study", version: "v1.0.0", timestamp: "2026-01-02_03-04-05" });
  const put = (path: { factor: number; offset: number }[], from: number, to: number, ok: number, generation = 0) =>
    storage.put(layout.part(path, { generation, from, to, ok, failed: to - from - ok }), "rows");
  await put([], 0, 10, 10);
  await put([], 0, 10, 9); // a spec that fails now and then
  await put([], 10, 15, 5);
  await put([], 10, 20, 8); // handed back later
  await put([], 20, 30, 10);
  await put([], 30, 40, 10, 1); // of a retry
  await put([{ factor: 2, offset: 1 }], 0, 10, 7); // another node's
  const parts = await countedParts(storage, layout, 0);
  const specs = parts.reduce((sum, { ok, failed }) => sum + ok + failed, 0);
  expect(specs).toBe(10 + 5 + 10 + 10);
  expect(parts.every(({ folder }) => folder.endsWith("/parts/"))).toBe(true);
});

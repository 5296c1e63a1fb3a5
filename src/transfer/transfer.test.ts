import { createHash } from "node:crypto";
import { setImmediate as tick } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { memoryStorage } from "../storage/memory.ts";
import { getText, listAll, type Storage } from "../storage/storage.ts";
import { type TransferItem, transfer } from "./transfer.ts";

async function itemsOf(storage: Storage, hashes: Record<string, string> = {}): Promise<TransferItem[]> {
  const all = await listAll(storage, "");
  return all.map(({ key, size, etag }) => ({ from: key, to: `new/${key}`, size, etag, sha256: hashes[key] }));
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

async function filled(count: number): Promise<Storage> {
  const storage = memoryStorage();
  for (let i = 0; i < count; i++) await storage.put(`k${String(i).padStart(3, "0")}`, `content ${i}`);
  return storage;
}

describe("transfer", () => {
  it("mixes nothing up between storages that are both far away", async () => {
    const [source, target] = [await filled(100), memoryStorage("target")];
    const items = await itemsOf(source);
    const progress = await transfer(source, target, items, { isThere: async () => false });
    expect(progress).toMatchObject({ files: 100, totalFiles: 100, skipped: 0, bytes: progress.totalBytes });
    for (const { from, to } of items)
      expect((await getText(target, to))?.text).toBe((await getText(source, from))?.text);
  });

  it("brings what comes last when all else is there, one by one", async () => {
    const [source, target] = [await filled(40), memoryStorage("target")];
    const items = (await itemsOf(source)).map((item, i) => ({ ...item, last: i < 3 }));
    const arrived: string[] = [];
    const inHand = new Set<string>();
    const together: string[][] = [];
    const watched: Storage = {
      ...source,
      getFile: async (key, path) => {
        inHand.add(key);
        await tick();
        if (key < "k003") together.push([...inHand]);
        await source.getFile(key, path);
        inHand.delete(key);
      },
    };
    await transfer(watched, target, items, { onArrived: (item) => void arrived.push(item.from) });
    expect(arrived.slice(-3)).toEqual(["k000", "k001", "k002"]);
    expect(together).toEqual([["k000"], ["k001"], ["k002"]]);
  });

  it("names an object whose content is not the recorded one, and does not store it", async () => {
    const [source, target] = [await filled(3), memoryStorage("target")];
    const items = await itemsOf(source, { k000: sha256("content 0"), k001: sha256("something else") });
    await expect(transfer(source, target, items)).rejects.toMatchObject({
      code: "storage",
      message:
        "1 of 3 files could not be copied; the first: k001: memory://memory/k001 is damaged: its SHA-256 is not the recorded one",
      hint: expect.stringContaining("Restore it"),
    });
    expect((await listAll(target, "")).map(({ key }) => key)).toEqual(["new/k000", "new/k002"]);
  });

  it("gives up soon when nothing works", async () => {
    const [source, target] = [await filled(200), memoryStorage("target")];
    let tried = 0;
    const failing: Storage = {
      ...source,
      getFile: async () => {
        tried++;
        throw new Error("no way");
      },
    };
    const brought = transfer(failing, target, await itemsOf(source), { concurrency: 4 });
    await expect(brought).rejects.toThrow(/2\d of 200 files could not be copied \(17\d were not tried\); .*: no way/);
    expect(tried).toBeLessThan(30);
  });

  it("ends at a signal with what is in hand", async () => {
    const [source, target, stop] = [await filled(50), memoryStorage("target"), new AbortController()];
    const onProgress = () => stop.abort();
    const work = transfer(source, target, await itemsOf(source), { concurrency: 3, signal: stop.signal, onProgress });
    await expect(work).rejects.toMatchObject({ code: "cancelled", message: "Stopped after 3 of 50 files" });
    expect(await listAll(target, "")).toHaveLength(3);
  });
});

import { describe, expect, it } from "vitest";
import { freshPrefix, keysOf } from "./listing.testsuite.ts";
import { getText, type Storage } from "./storage.ts";

const text = (body: Uint8Array) => new TextDecoder().decode(body);

/** What `Storage` promises of copies and of reading a part; a part of `storageSuite`. */
export function copyContract(use: () => Storage): void {
  describe("copy", () => {
    it("stores the same bytes under another key, over what is there", async () => {
      const storage = use();
      const prefix = freshPrefix();
      const from = `${prefix}/a +&?#%ü.txt`;
      await storage.put(from, "content");
      await storage.put(`${prefix}/taken`, "before");
      await storage.copy(from, `${prefix}/deep/er/b`);
      await storage.copy(from, `${prefix}/taken`);
      expect((await getText(storage, `${prefix}/deep/er/b`))?.text).toBe("content");
      expect((await getText(storage, `${prefix}/taken`))?.text).toBe("content");
      await storage.put(from, "other");
      expect((await getText(storage, `${prefix}/deep/er/b`))?.text).toBe("content");
    });

    it("onto itself leaves it", async () => {
      const storage = use();
      const key = `${freshPrefix()}/self`;
      await storage.put(key, "content");
      await storage.copy(key, key);
      expect((await getText(storage, key))?.text).toBe("content");
    });

    it("of nothing is not_found, and makes nothing", async () => {
      const storage = use();
      const prefix = freshPrefix();
      await expect(storage.copy(`${prefix}/none`, `${prefix}/b`)).rejects.toMatchObject({ code: "not_found" });
      expect(await keysOf(storage, prefix)).toEqual([]);
    });

    it("refuses what is not a key", async () => {
      const storage = use();
      const key = `${freshPrefix()}/a`;
      await storage.put(key, "x");
      await expect(storage.copy(key, "../b")).rejects.toMatchObject({ code: "storage" });
      await expect(storage.copy("../b", key)).rejects.toMatchObject({ code: "storage" });
      await expect(storage.getRange("../b", 0, 1)).rejects.toMatchObject({ code: "storage" });
    });
  });

  describe("getRange", () => {
    it("gives bytes from start to before end, cut to the size", async () => {
      const storage = use();
      const key = `${freshPrefix()}/range`;
      await storage.put(key, "0123456789");
      expect(text(await storage.getRange(key, 0, 10))).toBe("0123456789");
      expect(text(await storage.getRange(key, 3, 5))).toBe("34");
      expect(text(await storage.getRange(key, 8, 100))).toBe("89");
      for (const [start, end] of [
        [4, 4],
        [5, 2],
        [10, 20],
        [50, 60],
      ] as const) {
        expect((await storage.getRange(key, start, end)).byteLength, `${start}-${end}`).toBe(0);
      }
    });

    it("of an empty object is empty, of none not_found", async () => {
      const storage = use();
      const prefix = freshPrefix();
      await storage.put(`${prefix}/empty`, "");
      expect((await storage.getRange(`${prefix}/empty`, 0, 10)).byteLength).toBe(0);
      await expect(storage.getRange(`${prefix}/none`, 0, 10)).rejects.toMatchObject({ code: "not_found" });
      await expect(storage.getRange(`${prefix}/none`, 5, 5)).rejects.toMatchObject({ code: "not_found" });
    });
  });
}

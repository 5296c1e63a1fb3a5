import { describe, expect, it } from "vitest";
import { listAll, type Storage } from "./storage.ts";

let prefixes = 0;
/** A folder that no other test, file or process uses: a bucket may be shared. */
export const freshPrefix = () => `suite-${process.pid}-${Date.now().toString(36)}-${prefixes++}`;
export const keysOf = async (storage: Storage, prefix: string) =>
  (await listAll(storage, prefix)).map(({ key }) => key);

/** What `Storage` promises of listings and deletions; a part of `storageSuite`. */
export function listingContract(use: () => Storage): void {
  describe("list", () => {
    it("is sorted by key, also where a folder and a file begin alike", async () => {
      const storage = use();
      const prefix = freshPrefix();
      const keys = ["a/x", "a-b", "a.b/y", "a0", "b/c/d", "b/c-d", "B", "ab/1", "ab/10", "ab/2"].map(
        (k) => `${prefix}/${k}`,
      );
      for (const key of [...keys].reverse()) await storage.put(key, key);
      expect(await keysOf(storage, `${prefix}/`)).toEqual([...keys].sort());
    });

    it("takes a prefix that ends in the middle of a name", async () => {
      const storage = use();
      const prefix = freshPrefix();
      for (const key of ["part-1/a", "part-2", "part", "other"]) await storage.put(`${prefix}/${key}`, "x");
      expect(await keysOf(storage, `${prefix}/part-`)).toEqual([`${prefix}/part-1/a`, `${prefix}/part-2`]);
      expect(await keysOf(storage, `${prefix}/part`)).toHaveLength(3);
      expect(await keysOf(storage, `${prefix}/part/`)).toEqual([]);
      expect(await keysOf(storage, `${prefix}/nothing/there`)).toEqual([]);
    });

    it("tells size and time, and no files but those that were put", async () => {
      const storage = use();
      const prefix = freshPrefix();
      const key = `${prefix}/poetry.lock`;
      await storage.put(key, "12345");
      await storage.put(key, "123456", { ifMatch: (await storage.get(key)).etag });
      const listed = await listAll(storage, prefix);
      expect(listed).toHaveLength(1);
      expect(listed[0]).toMatchObject({ key, size: 6 });
      expect(Math.abs(listed[0]!.modified.getTime() - Date.now())).toBeLessThan(600_000);
    });

    it("goes beyond a thousand keys", async () => {
      const storage = use();
      const prefix = freshPrefix();
      const keys = Array.from({ length: 1_100 }, (_, i) => `${prefix}/${String(i).padStart(5, "0")}`);
      for (let at = 0; at < keys.length; at += 50) {
        await Promise.all(keys.slice(at, at + 50).map((key) => storage.put(key, "")));
      }
      expect(await keysOf(storage, prefix)).toEqual(keys);
      await storage.delete(keys);
      expect(await keysOf(storage, prefix)).toEqual([]);
    });

    it("names the folders directly under a prefix, sorted by name", async () => {
      const storage = use();
      const prefix = freshPrefix();
      for (const key of ["a/x", "a-b/x", "a/y/z", "file", "c/d/e"]) await storage.put(`${prefix}/${key}`, "x");
      expect(await storage.listFolders(`${prefix}/`)).toEqual(["a", "a-b", "c"]);
      expect(await storage.listFolders(`${prefix}/a/`)).toEqual(["y"]);
      expect(await storage.listFolders(`${prefix}/none/`)).toEqual([]);
      expect(await storage.listFolders("")).toContain(prefix);
    });
  });

  describe("delete", () => {
    it("takes several keys, and those that are gone", async () => {
      const storage = use();
      const prefix = freshPrefix();
      for (const key of ["a", "b", "c"]) await storage.put(`${prefix}/${key}`, key);
      await storage.delete([`${prefix}/a`, `${prefix}/b`, `${prefix}/never`]);
      await storage.delete([`${prefix}/a`]);
      await storage.delete([]);
      expect(await keysOf(storage, prefix)).toEqual([`${prefix}/c`]);
      expect(await storage.head(`${prefix}/a`)).toBeUndefined();
    });

    it("leaves no folder behind", async () => {
      const storage = use();
      const prefix = freshPrefix();
      await storage.put(`${prefix}/v1/run/a`, "x");
      await storage.put(`${prefix}/v2/run/a`, "x");
      await storage.delete([`${prefix}/v1/run/a`]);
      expect(await storage.listFolders(`${prefix}/`)).toEqual(["v2"]);
    });

    it("does not harm writers beside it", async () => {
      const storage = use();
      const prefix = freshPrefix();
      const busy = async (own: string) => {
        for (let i = 0; i < 25; i++) {
          await storage.put(`${prefix}/deep/folder/${own}`, `${i}`);
          if (i < 24) await storage.delete([`${prefix}/deep/folder/${own}`]);
        }
      };
      await Promise.all(["a", "b", "c", "d"].map(busy));
      expect(await keysOf(storage, prefix)).toEqual(["a", "b", "c", "d"].map((own) => `${prefix}/deep/folder/${own}`));
    });

    it("of a folder's name deletes nothing", async () => {
      const storage = use();
      const prefix = freshPrefix();
      await storage.put(`${prefix}/folder/a`, "x");
      await storage.delete([`${prefix}/folder`]);
      expect(await keysOf(storage, prefix)).toEqual([`${prefix}/folder/a`]);
    });
  });
}

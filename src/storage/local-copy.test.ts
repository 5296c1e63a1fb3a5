import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { localStorage } from "./local/local.ts";
import { localCopies, withLocalCopy } from "./local-copy.ts";
import { memoryStorage } from "./memory.ts";
import type { Storage } from "./storage.ts";

const root = mkdtempSync(join(tmpdir(), "scythe-local-copy-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function filled(storage: Storage): Promise<Storage> {
  for (const key of ["a/0", "a/1", "b/0"]) await storage.put(key, key);
  return storage;
}

const text = (path: string) => readFileSync(path, "utf8");
const newFolder = () => mkdtempSync(join(root, "copies-"));

describe("a local copy", () => {
  it("of what is far away lasts as long as the work, also where that fails", async () => {
    const [storage, folder] = [await filled(memoryStorage()), newFolder()];
    expect(
      await withLocalCopy(storage, "a/1", folder, async (path) => [text(path), readdirSync(folder).length]),
    ).toEqual(["a/1", 1]);
    expect(readdirSync(folder)).toEqual([]);
    const failing = withLocalCopy(storage, "a/1", folder, async (path) => {
      throw new Error(text(path));
    });
    await expect(failing).rejects.toThrow("a/1");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("of what lies on this disk is the file itself, which stays", async () => {
    const [storage, folder] = [await filled(localStorage(join(root, "storage"))), newFolder()];
    const used = await withLocalCopy(storage, "a/1", folder, async (path) => path);
    expect(used).toBe(storage.localPath!("a/1"));
    expect(existsSync(used)).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("of many is each in the place of its key, though names repeat", async () => {
    const [storage, folder] = [await filled(memoryStorage()), newFolder()];
    const keys = ["b/0", ...Array<string>(20).fill("a/1"), "a/0"];
    const paths = await localCopies(storage, keys, folder);
    expect(paths.map(text)).toEqual(keys);
    expect(new Set(paths).size).toBe(keys.length);
    await expect(localCopies(storage, ["a/0", "none"], folder)).rejects.toMatchObject({ code: "not_found" });
  });
});

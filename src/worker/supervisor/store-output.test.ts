import { createHash } from "node:crypto";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { RunLayout } from "../../run/layout.ts";
import { localStorage } from "../../storage/local/local.ts";
import { memoryStorage } from "../../storage/memory.ts";
import type { Storage } from "../../storage/storage.ts";
import { storeOutput } from "./store-output.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const layout = new RunLayout({ name: "e", version: "v1.0.0", timestamp: "2026-01-01_00-00-00" });

it.each(["before", "after"])("records what is stored when the file changes %s it is read", async (when) => {
  const path = join(folder, when);
  writeFileSync(path, "first");
  let left = 3;
  const inner = memoryStorage();
  const busy: Storage = {
    ...inner,
    putFile: async (key, source, options) => {
      const change = () => left-- > 0 && appendFileSync(path, " and more"); // as a process that was left behind would
      if (when === "before") change();
      const result = await inner.putFile(key, source, options);
      if (when === "after") change();
      return result;
    },
  };
  const { stored, sha256, bytes } = await storeOutput(busy, layout, { field: "file", path, name: "x.txt" }, "a1");
  const held = (await inner.get(layout.key(RunLayout.resultPath("file", stored))))!.body;
  expect(createHash("sha256").update(held).digest("hex")).toBe(sha256);
  expect(held.length).toBe(bytes);
});

it.each([
  ["a folder", () => localStorage(join(folder, "storage"))],
  ["a storage without local files", memoryStorage],
])(
  "in %s, attempts that give other contents keep each its own, and of one content there is one file",
  async (_, open) => {
    const storage = open();
    const given = ["first", "second", "first"];
    const names: string[] = [];
    for (const [i, text] of given.entries()) {
      const path = join(folder, `given-${i}`);
      writeFileSync(path, text);
      const { stored } = await storeOutput(storage, layout, { field: "file", path, name: "x.tar.gz" }, `a${i}`);
      names.push(stored);
    }
    expect(names).toEqual(["x.tar.gz", "x-a1.tar.gz", "x.tar.gz"]);
    for (const [i, name] of names.entries()) {
      const held = await storage.get(layout.key(RunLayout.resultPath("file", name)));
      expect(Buffer.from(held!.body).toString()).toBe(given[i]);
    }
  },
);

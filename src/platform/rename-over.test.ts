import fs, { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { renameOver } from "./rename-over.ts";
import { unix } from "./unix.ts";
import { windows } from "./windows.ts";

const { rename } = fs;
let folder: string;
let [from, to] = ["", ""];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "scythe-rename-"));
  [from, to] = [join(folder, "from"), join(folder, "to")];
  await writeFile(from, "new");
  await writeFile(to, "old");
});
afterEach(async () => {
  setRename(rename);
  await rm(folder, { recursive: true, force: true });
});

function setRename(to: typeof rename): void {
  fs.rename = to;
  syncBuiltinESMExports();
}

/** Renaming fails so often, as it does on Windows while somebody has the file open. */
function openFor(times: number, code = "EPERM"): () => number {
  let tried = 0;
  setRename(async (...paths) => {
    if (tried++ < times) throw Object.assign(new Error(code), { code });
    await rename(...paths);
  });
  return () => tried;
}

it("waits on Windows until nobody has the file open", async () => {
  const tried = openFor(4);
  await renameOver(from, to, windows);
  expect(tried()).toBe(5);
  expect(await readFile(to, "utf8")).toBe("new");
});

it("fails at once for another reason, or where the code means something else", async () => {
  const tried = openFor(1, "ENOSPC");
  await expect(renameOver(from, to, windows)).rejects.toMatchObject({ code: "ENOSPC" });
  expect(tried()).toBe(1);
  openFor(1);
  await expect(renameOver(from, to, unix)).rejects.toMatchObject({ code: "EPERM" });
  expect(await readFile(to, "utf8")).toBe("old");
});

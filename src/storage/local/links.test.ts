import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ownedName } from "../../temporary.ts";
import { listAll } from "../storage.ts";
import { localStorage } from "./local.ts";

let scratch: string;
let root: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "scythe-links-"));
  root = join(scratch, "storage");
  await mkdir(join(scratch, "outside", "v1"), { recursive: true });
  await writeFile(join(scratch, "outside", "secret"), "secret");
  await mkdir(join(root, "run"), { recursive: true });
  await writeFile(join(root, "run", "own"), "own");
  await symlink(join(scratch, "outside", "secret"), join(root, "run", "file"));
  await symlink(join(scratch, "outside"), join(root, "folder"));
  await symlink(join(root, "run", "own"), join(root, "run", "within"));
  await symlink(join(scratch, "nowhere"), join(root, "run", "dangling"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const refused = { code: "storage", message: expect.stringContaining("is a link out of the storage") };

describe("a symbolic link out of a local storage", () => {
  it.each(["run/file", "folder/secret"])("is not read: %s", async (key) => {
    const storage = localStorage(root);
    const target = join(scratch, "copy");
    const uses = {
      head: () => storage.head(key),
      get: () => storage.get(key),
      getRange: () => storage.getRange(key, 0, 1),
      getFile: () => storage.getFile(key, target),
      copy: () => storage.copy(key, "run/copied"),
      localPath: async () => storage.localPath!(key),
    };
    for (const [use, call] of Object.entries(uses)) await expect(call(), use).rejects.toMatchObject(refused);
    await expect(readFile(target)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is not written or deleted through", async () => {
    const storage = localStorage(root);
    const uses = {
      put: () => storage.put("folder/new/deep", "x"),
      putFile: () => storage.putFile("folder/secret", join(root, "run", "own")),
      copy: () => storage.copy("run/own", "folder/secret"),
      delete: () => storage.delete(["folder/secret"]),
    };
    for (const [use, call] of Object.entries(uses)) await expect(call(), use).rejects.toMatchObject(refused);
    expect(await readFile(join(scratch, "outside", "secret"), "utf8")).toBe("secret");
  });

  it("is not listed, nor listed through", async () => {
    const storage = localStorage(root);
    expect((await listAll(storage, "")).map(({ key }) => key)).toEqual(["run/own"]);
    expect(await storage.listFolders("")).toEqual(["run"]);
    await expect(listAll(storage, "folder/")).rejects.toMatchObject(refused);
    await expect(storage.listFolders("folder/")).rejects.toMatchObject(refused);
  });

  it("is replaced when something is written under its own name", async () => {
    const folder = join(scratch, "replaced");
    await mkdir(folder);
    await symlink(join(scratch, "outside", "secret"), join(folder, "a"));
    const storage = localStorage(folder);
    await storage.put("a", "mine");
    expect(await readFile(join(folder, "a"), "utf8")).toBe("mine");
    expect(await readFile(join(scratch, "outside", "secret"), "utf8")).toBe("secret");
  });
});

describe("a symbolic link that stays", () => {
  it("within the storage is followed", async () => {
    expect(new TextDecoder().decode((await localStorage(root).get("run/within")).body)).toBe("own");
  });

  it("at nothing is nothing", async () => {
    expect(await localStorage(root).head("run/dangling")).toBeUndefined();
  });

  it("may be the storage itself, or above it", async () => {
    await symlink(root, join(scratch, "linked"));
    const storage = localStorage(join(scratch, "linked"));
    await storage.put("new/key", "x");
    expect((await storage.head("new/key"))?.size).toBe(1);
    expect(await readFile(join(root, "new", "key"), "utf8")).toBe("x");
    await storage.delete(["new/key"]);
    expect(await storage.listFolders("")).toEqual(["run"]);
  });
});

it("writes nowhere else when the folder of unfinished files is a link", async () => {
  const root = await mkdtemp(join(tmpdir(), "scythe-links-"));
  try {
    const elsewhere = join(root, "elsewhere");
    await mkdir(elsewhere);
    const litter = join(elsewhere, ownedName().replace(/-\d+-\d+-/, "-2147483646-1-"));
    await writeFile(litter, "");
    for (const link of [".scythe-tmp", join(".scythe-tmp", "locks")]) {
      const storage = join(root, link.replaceAll("/", "_"));
      await mkdir(dirname(join(storage, link)), { recursive: true });
      await symlink(elsewhere, join(storage, link));
      await expect(localStorage(storage).put("a/b", "x")).rejects.toMatchObject({
        code: "storage",
        message: expect.stringContaining("is a link"),
      });
      expect(await readdir(elsewhere)).toEqual([basename(litter)]);
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

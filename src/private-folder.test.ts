import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makePrivate, temporaryRoot } from "./private-folder.ts";
import { makeScratch, ownedName, removeAbandonedScratch } from "./temporary.ts";

const all = mkdtempSync(join(tmpdir(), "scythe-private-"));
afterAll(() => rmSync(all, { recursive: true, force: true }));
let shared: string;
beforeEach(() => {
  shared = mkdtempSync(join(all, "shared-"));
  vi.stubEnv("TMPDIR", shared);
});
afterEach(() => vi.unstubAllEnvs());

const POSIX = process.platform !== "win32";
const ROOT = POSIX && process.getuid!() === 0;
const own = () => join(shared, `scythe-${process.getuid!()}`);
/** A folder that a process left which is dead, by its name. */
const abandoned = (kind = "run") => `scythe-${kind}-${ownedName().replace(/-\d+-\d+-/, "-2147483646-1-")}-abc`;

describe.skipIf(!POSIX)("the folder for temporary files", () => {
  it("is this user's alone", async () => {
    const scratch = await makeScratch("test");
    expect(scratch.startsWith(`${own()}/`)).toBe(true);
    expect(lstatSync(own()).mode & 0o777).toBe(0o700);
  });

  it("is closed to others when it is open", () => {
    mkdirSync(own(), { mode: 0o777 });
    chmodSync(own(), 0o777);
    expect(temporaryRoot()).toBe(own());
    expect(lstatSync(own()).mode & 0o777).toBe(0o700);
  });

  it.each(["link", "file"])("is another one when its name is taken by a %s", async (what) => {
    const victim = join(all, "victim");
    mkdirSync(join(victim, abandoned()), { recursive: true });
    if (what === "link") symlinkSync(victim, own());
    else writeFileSync(own(), "");
    const scratch = await makeScratch("test");
    await removeAbandonedScratch();
    expect(scratch.startsWith(`${own()}/`)).toBe(false);
    expect(lstatSync(join(scratch, "..")).mode & 0o777).toBe(0o700);
    expect(readdirSync(victim)).toHaveLength(1);
    rmSync(victim, { recursive: true });
  });

  it.skipIf(!ROOT)("is another one when its name is taken by somebody else", async () => {
    mkdirSync(join(own(), abandoned()), { recursive: true });
    chownSync(own(), 4242, 4242);
    const scratch = await makeScratch("test");
    await removeAbandonedScratch();
    expect(scratch.startsWith(`${own()}/`)).toBe(false);
    expect(readdirSync(own())).toHaveLength(1);
    expect(() => makePrivate(own())).toThrow(/another user \(uid 4242\)/);
  });

  it("is the only place where clean-up removes anything, and no link is followed there", async () => {
    const outside = join(shared, abandoned());
    mkdirSync(outside);
    const precious = join(all, "precious");
    mkdirSync(precious);
    writeFileSync(join(precious, "file"), "");
    await makeScratch("test");
    symlinkSync(precious, join(own(), abandoned("link")));
    mkdirSync(join(own(), abandoned("dead")));
    symlinkSync(precious, join(own(), abandoned("dead2")));
    await removeAbandonedScratch();
    expect(existsSync(outside)).toBe(true);
    expect(readdirSync(precious)).toEqual(["file"]);
    expect(readdirSync(own()).filter((name) => /dead|link/.test(name))).toEqual([]);
    rmSync(precious, { recursive: true });
  });
});

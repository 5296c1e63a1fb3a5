import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { UNKNOWN_START } from "./process-identity.ts";
import {
  isAbandoned,
  makeScratch,
  ownedName,
  removeAbandonedFiles,
  removeAbandonedScratch,
  withScratch,
} from "./temporary.ts";

const DIST = fileURLToPath(new URL("../dist/temporary.js", import.meta.url));
const script = (body: string) => ["--input-type=module", "-e", `import * as t from ${JSON.stringify(DIST)}; ${body}`];

async function printed(body: string): Promise<string> {
  return (await promisify(execFile)(process.execPath, script(body))).stdout.trim();
}

describe("names of unfinished files", () => {
  it("differ, and are their maker's while it lives", () => {
    expect(ownedName()).not.toBe(ownedName());
    expect(isAbandoned(ownedName())).toBe(false);
    expect(isAbandoned(`a-prefix-${ownedName()}.part`)).toBe(false);
  });

  it("are of nobody once their maker is dead", async () => {
    expect(isAbandoned(await printed("console.log(t.ownedName())"))).toBe(true);
  });

  it("are of nobody when another process has their maker's id", async () => {
    const other = spawn(process.execPath, script("console.log(t.ownedName()); setInterval(() => {}, 1000);"));
    const [name] = (await once(other.stdout!.setEncoding("utf8"), "data")) as [string];
    expect(isAbandoned(name.trim())).toBe(false);
    const [machine, pid, start, random] = name.trim().split("-");
    if (start !== "0") expect(isAbandoned([machine, pid, Number(start) + 1, random].join("-"))).toBe(true);
    other.kill();
    await once(other, "exit");
  });

  it("are their maker's while a process has its id, where nobody knows since when it runs", () => {
    const [machine, pid, , random] = ownedName().split("-");
    expect(isAbandoned([machine, pid, UNKNOWN_START, random].join("-"))).toBe(false);
    expect(isAbandoned([machine, "2147483646", UNKNOWN_START, random].join("-"))).toBe(true);
  });

  it("of another machine, and other names, are not judged", () => {
    expect(isAbandoned(`p00000000-${process.pid}-1-0123456789abcdef`)).toBeUndefined();
    expect(isAbandoned("6f1d1f0e-12ab-4cde-8f01-23456789abcd")).toBeUndefined();
    expect(isAbandoned("scythe-study")).toBeUndefined();
  });
});

describe("a folder for the time of some work", () => {
  const fill = async (folder: string) => {
    await mkdir(join(folder, "inner"));
    await writeFile(join(folder, "inner", "file"), "");
    return folder;
  };

  it("is removed with all in it, whether the work succeeds or fails", async () => {
    const made = await withScratch("test", async (folder) => {
      expect(existsSync(folder)).toBe(true);
      return fill(folder);
    });
    expect(existsSync(made)).toBe(false);
    let other = "";
    const failing = withScratch("test", async (folder) => {
      other = await fill(folder);
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(other).not.toBe(made);
    expect(existsSync(other)).toBe(false);
  });
});

describe("what killed processes leave", () => {
  it("goes from the system's temporary folder, where the living keep theirs", async () => {
    const dead = await printed('process.stdout.write(await t.makeScratch("test"))');
    const own = await makeScratch("test");
    expect(existsSync(dead)).toBe(true);
    await removeAbandonedScratch();
    expect([existsSync(dead), existsSync(own)]).toEqual([false, true]);
    await rm(own, { recursive: true });
  });

  it("of before this machine was started goes after a week", async () => {
    const own = await makeScratch("test");
    const folders = ["old", "new"].map((name, i) => join(dirname(own), `${name}-p00000000-1-1-0123456789abcde${i}`));
    for (const path of folders) await mkdir(path);
    const longAgo = new Date(Date.now() - 8 * 24 * 60 * 60_000);
    await utimes(folders[0]!, longAgo, longAgo);
    await removeAbandonedScratch();
    expect(folders.map((path) => existsSync(path))).toEqual([false, true]);
    await rm(folders[1]!, { recursive: true });
    await rm(own, { recursive: true });
  });

  it("on another machine goes after a day, when it is a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "scythe-test-"));
    const names = ["p00000000-1-1-0123456789abcdef", "p00000000-1-1-0123456789abcdf0.part"];
    for (const name of names) await writeFile(join(folder, name), "");
    const longAgo = new Date(Date.now() - 25 * 60 * 60_000);
    await utimes(join(folder, names[0]!), longAgo, longAgo);
    await removeAbandonedFiles(folder);
    expect(names.map((name) => existsSync(join(folder, name)))).toEqual([false, true]);
    await rm(folder, { recursive: true });
  });
});

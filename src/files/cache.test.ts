import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileCache } from "./cache.ts";

describe("FileCache", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "scythe-cache-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (content: string) => async (path: string) => writeFileSync(path, content);
  const old = (path: string, minutes: number) => {
    const time = new Date(Date.now() - minutes * 60_000);
    utimesSync(path, time, time);
  };

  it("brings a file once, however many ask at once, and again in another process never", async () => {
    let brought = 0;
    const bring = async (path: string) => {
      brought++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      writeFileSync(path, "x");
    };
    const cache = new FileCache(folder, 1_000);
    const paths = await Promise.all(Array.from({ length: 20 }, () => cache.get("a", "weather.epw", bring)));
    expect(new Set(paths).size).toBe(1);
    expect(extname(paths[0]!)).toBe(".epw");
    await new FileCache(folder, 1_000).get("a", "weather.epw", bring);
    expect(brought).toBe(1);
  });

  it("keeps contents apart that share a name", async () => {
    const cache = new FileCache(folder, 1_000);
    const a = await cache.get("a", "same.txt", write("A"));
    const b = await cache.get("b", "same.txt", write("B"));
    expect([readFileSync(a, "utf8"), readFileSync(b, "utf8")]).toEqual(["A", "B"]);
  });

  it("shows no file that was not brought whole, and tries again", async () => {
    const cache = new FileCache(folder, 1_000);
    const broken = async (path: string) => {
      writeFileSync(path, "half");
      throw new Error("cut");
    };
    await expect(cache.get("a", "f", broken)).rejects.toThrow("cut");
    expect(readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile())).toEqual([]);
    expect(readFileSync(await cache.get("a", "f", write("whole")), "utf8")).toBe("whole");
  });

  it("removes what was used longest ago, but nothing that may be in use", async () => {
    const cache = new FileCache(folder, 1_000);
    const paths: string[] = [];
    for (const name of ["a", "b", "c"]) {
      paths.push(await cache.get(name, "f", write(name.repeat(100))));
      old(paths.at(-1)!, 100 - paths.length);
    }
    await cache.get("a", "f", write("never"));
    await new FileCache(folder, 250).get("d", "f", write("d".repeat(100)));
    expect(paths.map((path) => existsSync(path))).toEqual([true, false, false]);
  });

  it("keeps to its limit, also while files are in use", async () => {
    const cache = new FileCache(folder, 250);
    const recent: string[] = [];
    for (const name of ["a", "b"]) recent.push(await cache.get(name, "f", write(name.repeat(100))));
    const tooMany = cache.get("c", "f", write("c".repeat(100)));
    await expect(tooMany).rejects.toMatchObject({ code: "storage", hint: expect.stringContaining("cache.maxBytes") });
    expect(recent.map((path) => existsSync(path))).toEqual([true, true]);
    old(recent[0]!, 2); // in use perhaps, but there is nothing older
    await cache.get("c", "f", write("c".repeat(100)));
    expect(recent.map((path) => existsSync(path))).toEqual([false, true]);
    expect(readFileSync(await cache.get("a", "f", write("again")), "utf8")).toBe("again");
  });

  it.each(["another process", "the same process"])(
    "gives no content that is not what was brought, in %s",
    async (who) => {
      const cache = new FileCache(folder, 1_000);
      const path = await cache.get("a", "f", write("good"));
      const { atime, mtime } = statSync(path);
      writeFileSync(path, "evil");
      utimesSync(path, atime, mtime);
      const reader = who === "the same process" ? cache : new FileCache(folder, 1_000);
      expect(readFileSync(await reader.get("a", "f", write("good")), "utf8")).toBe("good");
      rmSync(path);
      expect(readFileSync(await reader.get("a", "f", write("good")), "utf8")).toBe("good");
    },
  );

  it.skipIf(process.platform === "win32")("is its user's alone", async () => {
    const own = join(folder, "own");
    mkdirSync(own);
    chmodSync(own, 0o777);
    await new FileCache(own, 1_000).get("a", "f", write("x"));
    expect(statSync(own).mode & 0o777).toBe(0o700);
    symlinkSync(own, join(folder, "link"));
    await expect(new FileCache(join(folder, "link"), 1_000).get("a", "f", write("x"))).rejects.toThrow("is a link");
    if (process.getuid!() !== 0) return;
    chownSync(own, 4242, 4242);
    const foreign = new FileCache(own, 1_000).get("a", "f", write("x"));
    await expect(foreign).rejects.toThrow("belongs to another user (uid 4242)");
  });

  it("lets no name lead out of its folder", async () => {
    const path = await new FileCache(folder, 1_000).get("a", "../../../etc/pass wd", write("x"));
    expect(path.startsWith(folder)).toBe(true);
    expect(path.endsWith("pass_wd")).toBe(true);
  });
});

import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import fs, { symlink } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { storageSuite } from "../storage.testsuite.ts";
import { getText } from "../storage.ts";
import { isNoLink } from "./hard-links.ts";
import { localStorage } from "./local.ts";

const NO_LINKS = fileURLToPath(new URL("../../../test/fixtures/no-links.mjs", import.meta.url));
const DIST = fileURLToPath(new URL("../../../dist/storage/local/local.js", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "scythe-no-links-"));
const { link } = fs;

/** By the kernel, or by FUSE. */
const MOUNTS = [
  ["mkfs.exfat", "mount", "-t", "exfat"],
  ["mkfs.exfat", "mount.exfat-fuse"],
  ["mkfs.vfat", "mount", "-t", "vfat"],
];

const disk = mountWithoutLinks(join(scratch, "disk"));
afterAll(() => {
  disk?.unmount();
  rmSync(scratch, { recursive: true, force: true });
});

describe("a disk that refuses hard links", () => {
  beforeAll(async () => {
    await import(NO_LINKS);
    await expect(fs.link(NO_LINKS, join(scratch, "second"))).rejects.toMatchObject({ code: "EPERM" });
  });
  afterAll(() => {
    fs.link = link;
    syncBuiltinESMExports();
  });
  afterEach(() => void vi.unstubAllEnvs());
  const folder = join(scratch, "refusing");

  storageSuite("localStorage without hard links", () => localStorage(folder));
  createsOnce(() => folder, ["--import", NO_LINKS]);

  it.each(["ENOTSUP", "ENOSYS", "EISDIR"])("may say %s as well", async (code) => {
    vi.stubEnv("SCYTHE_TEST_LINK_REFUSAL", code);
    const storage = localStorage(folder);
    expect(await storage.put(code, "first", { ifAbsent: true })).toMatchObject({ written: true });
    expect(await storage.put(code, "second", { ifAbsent: true })).toEqual({ written: false });
    expect((await getText(storage, code))?.text).toBe("first");
  });

  it("may be full: that is said", async () => {
    vi.stubEnv("SCYTHE_TEST_LINK_REFUSAL", "ENOSPC");
    await expect(localStorage(folder).put("full", "", { ifAbsent: true })).rejects.toThrow("ENOSPC");
  });

  it("takes a symbolic link that leads nowhere for a name that is taken, as a hard link does", async () => {
    await symlink(join(scratch, "nowhere"), join(folder, "dangling"));
    expect(await localStorage(folder).put("dangling", "mine", { ifAbsent: true })).toEqual({ written: false });
  });
});

describe.runIf(disk)("a real disk without hard links", () => {
  it("refuses them in a way that is known", async () => {
    writeFileSync(join(disk!.folder, "one"), "");
    const refusal = await link(join(disk!.folder, "one"), join(disk!.folder, "two")).catch((error: unknown) => error);
    expect(isNoLink(refusal), String(refusal)).toBe(true);
  });

  createsOnce(() => join(disk!.folder, "storage"), []);
});

it("has no caveat where there are hard links", async () => {
  expect(await localStorage(join(scratch, "linked")).caveats!()).toEqual([]);
});

/** @param node how other processes are started */
function createsOnce(folder: () => string, node: readonly string[]): void {
  it("says so", async () => {
    const storage = localStorage(folder());
    expect(await storage.caveats!()).toMatchObject([{ said: expect.stringContaining("no hard links") }]);
    const left = readdirSync(storage.scratch!).filter((name) => name !== "locks");
    expect(left).toEqual([]);
  });

  it("is created by one of many processes, whole", async () => {
    const program = `
      import { localStorage } from ${JSON.stringify(DIST)};
      const storage = localStorage(${JSON.stringify(folder())});
      const won = [];
      for (let i = 0; i < 25; i++) {
        const { written } = await storage.put("race/key-" + i, process.argv[1].repeat(1000), { ifAbsent: true });
        if (written) won.push("key-" + i);
      }
      console.log(JSON.stringify(won));`;
    const runs = ["a", "b", "c"].map((me) =>
      promisify(execFile)(process.execPath, [...node, "--input-type=module", "-e", program, me]),
    );
    const won = (await Promise.all(runs)).map(({ stdout }) => JSON.parse(stdout) as string[]);
    expect(won.flat().sort()).toEqual(Array.from({ length: 25 }, (_, i) => `key-${i}`).sort());
    const storage = localStorage(folder());
    for (const [who, keys] of won.entries()) {
      for (const key of keys) {
        expect((await getText(storage, `race/${key}`))?.text).toBe("abc"[who]!.repeat(1000));
      }
    }
  });
}

/** A small exFAT or FAT disk, where this user may mount one. */
function mountWithoutLinks(folder: string): { folder: string; unmount(): void } | undefined {
  const image = join(scratch, "image");
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: "utf8", stdio: "pipe" });
  for (const [make, mount, ...args] of MOUNTS) {
    let device: string | undefined;
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(image, "");
      truncateSync(image, 64 * 2 ** 20);
      run(make!, image);
      const own = run("losetup", "--find", "--show", image).trim();
      device = own;
      run(mount!, ...args, own, folder);
      return {
        folder,
        unmount: () => {
          run("umount", folder);
          run("losetup", "--detach", own);
        },
      };
    } catch {
      if (device) run("losetup", "--detach", device);
    }
  }
  console.warn("\n*** SKIPPED: a real disk without hard links. It needs root, a loop device, and exFAT or FAT.\n");
  return undefined;
}

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ownedName } from "../../temporary.ts";
import { storageSuite } from "../storage.testsuite.ts";
import { getText, listAll } from "../storage.ts";
import { isWritable, localStorage } from "./local.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "scythe-local-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

storageSuite("localStorage", () => localStorage(join(scratch, "suite with space, #1 & ü%")));

const TEMPORARY = fileURLToPath(new URL("../../../dist/temporary.js", import.meta.url));
const DIST = fileURLToPath(new URL("../../../dist/storage/local/local.js", import.meta.url));

/** Runs a script in `count` processes at the same time; `storage` and `me` are at hand. Gives what each printed. */
async function inProcesses(count: number, folder: string, script: string): Promise<string[]> {
  const program = `
    import { localStorage } from ${JSON.stringify(DIST)};
    const storage = localStorage(${JSON.stringify(folder)});
    const me = process.argv[1];
    ${script}`;
  const runs = Array.from({ length: count }, (_, i) =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", program, `process-${i}`]),
  );
  return (await Promise.all(runs)).map(({ stdout }) => stdout.trim());
}

describe("several processes", () => {
  it("create each key once", async () => {
    const folder = join(scratch, "create");
    const won = await inProcesses(
      3,
      folder,
      `let won = [];
       for (let i = 0; i < 60; i++) {
         const { written } = await storage.put("key-" + i, me, { ifAbsent: true });
         if (written) won.push("key-" + i);
       }
       console.log(JSON.stringify(won));`,
    );
    const all = won.flatMap((text) => JSON.parse(text) as string[]);
    expect(all.sort()).toEqual(Array.from({ length: 60 }, (_, i) => `key-${i}`).sort());
  });

  it("lose no update by compare-and-swap", async () => {
    const folder = join(scratch, "swap");
    const storage = localStorage(folder);
    await storage.put("counter", "0");
    await inProcesses(
      3,
      folder,
      `for (let done = 0; done < 20; ) {
         const { body, etag } = await storage.get("counter");
         const next = String(Number(new TextDecoder().decode(body)) + 1);
         if ((await storage.put("counter", next, { ifMatch: etag })).written) done++;
       }`,
    );
    expect((await getText(storage, "counter"))?.text).toBe("60");
  });
});

describe("a folder as storage", () => {
  it("shows nothing of writes that were cut off", async () => {
    const folder = join(scratch, "leftover");
    const storage = localStorage(folder);
    await storage.put("a", "x");
    await writeFile(join(folder, ".scythe-tmp", "half-written"), "half");
    expect((await listAll(storage, "")).map(({ key }) => key)).toEqual(["a"]);
    expect(await storage.listFolders("")).toEqual([]);
    await expect(storage.get(".scythe-tmp/half-written")).rejects.toThrow("Not a storage key");
  });

  it("holds temporary files no longer than a write takes", async () => {
    const folder = join(scratch, "clean");
    const storage = localStorage(folder);
    const etag = (await storage.put("a/b", "x")) as { etag: string };
    await storage.put("a/b", "y", { ifAbsent: true });
    await storage.put("a/b", "y", { ifMatch: etag.etag });
    await storage.putFile("a/c", join(scratch, "no such file")).catch(() => undefined);
    const left = await readdir(join(folder, ".scythe-tmp"), { recursive: true });
    expect(left).toEqual(["locks"]);
  });

  it("shows no folder that holds no file: a killed process may have made it for one that never came", async () => {
    const folder = join(scratch, "hollow");
    const storage = localStorage(folder);
    await storage.put("a/v1/x/file", "");
    await mkdir(join(folder, "a", "v1", "y", "z"), { recursive: true });
    await mkdir(join(folder, "b", "v1"), { recursive: true });
    expect(await storage.listFolders("")).toEqual(["a"]);
    expect(await storage.listFolders("a/v1/")).toEqual(["x"]);
  });

  it("is made at the first write, and lists as empty before", async () => {
    const folder = join(scratch, "not", "yet", "there");
    const storage = localStorage(folder);
    expect(await listAll(storage, "")).toEqual([]);
    expect(await storage.listFolders("")).toEqual([]);
    expect(await storage.head("a")).toBeUndefined();
    expect(await readdir(join(scratch, "not")).catch(() => "none")).toBe("none");
  });

  it("says what to do when a file stands where the folder should", async () => {
    const path = join(scratch, "a-file");
    await writeFile(path, "not a folder");
    const storage = localStorage(path);
    await expect(storage.put("a", "x")).rejects.toMatchObject({
      code: "storage",
      message: expect.stringContaining(path),
      hint: expect.stringContaining("A file exists where a folder is needed"),
    });
    expect(await readFile(path, "utf8")).toBe("not a folder");
  });

  it("leaves no empty folder when a file to store is missing", async () => {
    const folder = join(scratch, "missing-source");
    const storage = localStorage(folder);
    await expect(storage.putFile("name/v1/a", join(scratch, "none"))).rejects.toMatchObject({ code: "storage" });
    expect(await storage.listFolders("")).toEqual([]);
  });

  it("gives paths under which its objects can be read", async () => {
    const storage = localStorage(join(scratch, "paths"));
    await storage.put("a/b.txt", "content");
    expect(await readFile(storage.localPath!("a/b.txt"), "utf8")).toBe("content");
    expect(await readFile(fileURLToPath(storage.uriOf("a/b.txt")), "utf8")).toBe("content");
    expect(() => storage.localPath!("../b.txt")).toThrow("Not a storage key");
  });

  it("is writable when its nearest existing parent is", async () => {
    expect(await isWritable(join(scratch, "x", "y"))).toBe(true);
    await writeFile(join(scratch, "plain"), "");
    expect(await isWritable(join(scratch, "plain", "below a file"))).toBe(false);
  });
});

/** A name that a process made before it died. */
async function nameOfDeadProcess(): Promise<string> {
  const program = `import { ownedName } from ${JSON.stringify(TEMPORARY)}; console.log(ownedName());`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  return stdout.trim();
}

describe("what a killed process has left half-written", () => {
  it("goes before the next process's first write; what a living one writes stays", async () => {
    const folder = join(scratch, "litter");
    const temp = join(folder, ".scythe-tmp");
    await mkdir(join(temp, "locks"), { recursive: true });
    const living = ownedName();
    const dead = await nameOfDeadProcess();
    for (const name of [dead, living, "of-somebody-else"]) await writeFile(join(temp, name), "");
    await writeFile(join(temp, "locks", "abandoned"), dead);
    await writeFile(join(temp, "locks", "held"), living);
    await localStorage(folder).put("a", "x");
    expect((await readdir(temp)).sort()).toEqual(["locks", "of-somebody-else", living].sort());
    expect(await readdir(join(temp, "locks"))).toEqual(["held"]);
  });
});

describe("the lock of a compare-and-swap", () => {
  const lockOf = (folder: string, key: string) => {
    const name = createHash("sha256").update(join(folder, key)).digest("hex").slice(0, 32);
    return join(folder, ".scythe-tmp", "locks", name);
  };
  /** A folder that holds the owner's new content; of earlier versions a file that names the owner. */
  const leaveLock = async (form: string, folder: string, key: string, owner: string) => {
    const lock = lockOf(folder, key);
    await mkdir(form === "file" ? dirname(lock) : lock, { recursive: true });
    await writeFile(form === "file" ? lock : join(lock, owner), form === "file" ? owner : "content of a dead process");
  };
  const forms = ["folder", "file"];

  it.each(forms)("that a dead process left is broken, by one of many: a %s", async (form) => {
    const folder = join(scratch, `stale-${form}`);
    const storage = localStorage(folder);
    for (let round = 0; round < 10; round++) {
      const first = (await storage.put("a", "before")) as { etag: string };
      await leaveLock(form, folder, "a", await nameOfDeadProcess());
      const writers = Array.from({ length: 12 }, (_, i) => storage.put("a", `${i}`, { ifMatch: first.etag }));
      expect((await Promise.all(writers)).filter(({ written }) => written)).toHaveLength(1);
    }
    expect(await readdir(join(folder, ".scythe-tmp", "locks"))).toEqual([]);
  });

  it.each(forms)("that a living process holds is waited for: a %s", async (form) => {
    const folder = join(scratch, `held-${form}`);
    const storage = localStorage(folder);
    const first = (await storage.put("a", "before")) as { etag: string };
    await leaveLock(form, folder, "a", ownedName());
    let done = false;
    const writing = storage.put("a", "after", { ifMatch: first.etag }).finally(() => {
      done = true;
    });
    for (let i = 0; i < 20; i++) await storage.head("a");
    expect(done).toBe(false);
    await rm(lockOf(folder, "a"), { recursive: true });
    expect((await writing).written).toBe(true);
  });

  it("of which an empty folder is left holds up nobody", async () => {
    const folder = join(scratch, "empty-lock");
    const storage = localStorage(folder);
    const first = (await storage.put("a", "before")) as { etag: string };
    await mkdir(lockOf(folder, "a"), { recursive: true });
    expect((await storage.put("a", "after", { ifMatch: first.etag })).written).toBe(true);
  });

  it("lets no file look like one that its target was before, though the clock stands still or goes back", async () => {
    const storage = localStorage(join(scratch, "times"));
    let { etag } = (await storage.put("a", "0")) as { etag: string };
    const path = storage.localPath!("a");
    await utimes(path, new Date(), new Date(Date.now() + 3_600_000)); // as if it had been written before the clock went back
    etag = (await storage.head("a"))!.etag;
    let { mtimeMs } = await stat(path);
    for (let i = 1; i < 20; i++) {
      etag = ((await storage.put("a", String(i % 10), { ifMatch: etag })) as { etag: string }).etag;
      const now = await stat(path);
      expect(now.mtimeMs).toBeGreaterThan(mtimeMs);
      expect((await storage.head("a"))!.etag).toBe(etag);
      mtimeMs = now.mtimeMs;
    }
  });
});

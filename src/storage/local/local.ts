import { createHash } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { access, copyFile, link, lstat, mkdir, readdir, rm, rmdir, stat, unlink, utimes } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ScytheError } from "../../errors.ts";
import { renameOver } from "../../platform/rename-over.ts";
import { assertFolder } from "../../private-folder.ts";
import { ownedName, removeAbandonedFiles } from "../../temporary.ts";
import { assertKey, assertPrefix } from "../key.ts";
import type { ObjectInfo, PutCondition, PutResult, Storage } from "../storage.ts";
import { absent, fail, isAbsent } from "./errors.ts";
import { isNoLink, takesHardLinks } from "./hard-links.ts";
import { assertInside, assertInsideSync } from "./links.ts";
import { breakAbandonedLocks, type Published, swapLocked } from "./lock.ts";
import { etagAt, etagOf, getFile, head, read, readRange } from "./read.ts";
import { syncFile, syncFolders, writeSynced } from "./sync.ts";

/** Temporary files are written here, on the same file system, until a rename publishes them; locks are here too. */
const TEMP = ".scythe-tmp";
const LOCKS = join(TEMP, "locks");

/** Resolution of file times: full, hundredths of a second (exFAT), or two seconds (FAT). */
const TIME_STEPS_MS = [2, 20, 2_000];

/** A storage in a local folder, created at the first write. */
export function localStorage(folder: string): Storage {
  const root = resolve(folder);
  const uri = pathToFileURL(root).href.replace(/\/$/, "");
  const pathOf = (key: string): string => {
    assertKey(key);
    if (key.startsWith(`${TEMP}/`)) throw new ScytheError("storage", `Not a storage key: ${JSON.stringify(key)}`);
    return join(root, ...key.split("/"));
  };

  /** A file to read must be in the storage; a write replaces a link, so there only the folder must be. */
  const toRead = async (key: string): Promise<string> => {
    const path = pathOf(key);
    await assertInside(root, path);
    return path;
  };
  const toWrite = async (key: string): Promise<string> => {
    const path = pathOf(key);
    await assertInside(root, dirname(path));
    return path;
  };

  return {
    uri,
    uriOf: (key) => `${uri}/${key.split("/").map(encodeURIComponent).join("/")}`,
    keyOf: (other) => keyOf(root, other),
    head: async (key) => head(key, await toRead(key)),
    get: async (key) => read(await toRead(key)),
    getRange: async (key, start, end) => readRange(await toRead(key), start, end),
    put: async (key, body, condition) => write(root, await toWrite(key), (temp) => writeSynced(temp, body), condition),
    putFile: async (key, path, options = {}) => putFile(root, await toWrite(key), path, options),
    getFile: async (key, path) => getFile(await toRead(key), path),
    copy: async (from, to) => copy(root, await toRead(from), await toWrite(to)),
    list: (prefix) => list(root, prefix),
    listFolders: async (prefix) => {
      assertPrefix(prefix);
      await assertInside(root, join(root, prefix));
      return listFolders(root, join(root, prefix));
    },
    delete: async (keys) => {
      for (const key of keys) pathOf(key);
      for (const key of keys) await remove(root, await toWrite(key));
    },
    localPath: (key) => {
      const path = pathOf(key);
      assertInsideSync(root, path);
      return path;
    },
    caveats: async () => ((await takesHardLinks(join(root, TEMP))) ? [] : [NO_HARD_LINKS]),
    scratch: join(root, TEMP),
  };
}

const NO_HARD_LINKS = {
  said: "its disk has no hard links: files that must be created once are created under a lock",
  todo: "Mount it the same way on every machine that uses it, or take another disk (docs/guide/platforms.md).",
};

function keyOf(root: string, uri: string): string | undefined {
  const path = localPathOf(uri);
  if (path === undefined) return undefined;
  return path.startsWith(root + sep)
    ? path
        .slice(root.length + 1)
        .split(sep)
        .join("/")
    : undefined;
}

function localPathOf(uri: string): string | undefined {
  if (!uri.startsWith("file://")) return undefined;
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined; // a URL of another host, or with an encoded slash
  }
}

async function copy(root: string, from: string, to: string): Promise<void> {
  await write(root, to, async (temp) => {
    await copyFile(from, temp, constants.COPYFILE_FICLONE).catch((e) => fail(e, "read", from));
    await syncFile(temp);
  });
}

/** Also removes folders that become empty: a folder is only a shared prefix of keys. */
async function remove(root: string, path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (isAbsent(error) || (await stat(path).catch(() => undefined))?.isDirectory()) return;
    fail(error, "delete", path);
  }
  for (let folder = dirname(path); folder.startsWith(root + sep); folder = dirname(folder)) {
    if (
      !(await rmdir(folder).then(
        () => true,
        () => false,
      ))
    )
      return; // not empty
  }
}

async function putFile(
  root: string,
  path: string,
  source: string,
  options: PutCondition & { move?: boolean },
): Promise<PutResult> {
  const copyIn = async (temp: string) => {
    await copyFile(source, temp, constants.COPYFILE_FICLONE).catch((e) => fail(e, "copy", source));
    await syncFile(temp);
  };
  /** Links first: when the condition does not hold, the caller keeps the file. */
  const move = async (temp: string) => {
    try {
      await link(source, temp);
      await syncFile(temp);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") throw error;
      await copyIn(temp); // on another disk, or without hard links
    }
  };
  const result = await write(root, path, options.move ? move : copyIn, options);
  if (options.move && result.written) await rm(source, { force: true });
  return result;
}

/**
 * Writes a temporary file, then publishes it under its own name in one step; retries when its lock was broken before
 * that.
 */
async function write(
  root: string,
  path: string,
  fill: (temp: string) => Promise<void>,
  condition: PutCondition = {},
): Promise<PutResult> {
  for (;;) {
    const published = await writeOnce(root, path, fill, condition);
    if (published.outcome !== "lost") {
      return published.outcome === "written" ? { written: true, etag: published.etag } : { written: false };
    }
  }
}

async function writeOnce(
  root: string,
  path: string,
  fill: (temp: string) => Promise<void>,
  condition: PutCondition,
): Promise<Published> {
  const temp = join(root, TEMP, ownedName());
  try {
    assertFolder(join(root, TEMP)); // through a link there, files would be written and removed elsewhere
    assertFolder(join(root, LOCKS));
    await tidy(root);
    await mkdir(dirname(temp), { recursive: true });
    await fill(temp);
    const { result, isNew } = await inFolder(dirname(path), () => publish(root, temp, path, condition));
    if (result.outcome === "written") await syncFolders(root, dirname(path), isNew);
    return result;
  } catch (error) {
    return fail(error, "write", path);
  } finally {
    await rm(temp, { force: true }).catch(() => undefined); // report the first error, not this one
  }
}

const tidied = new Map<string, Promise<void>>();

/** Before its first write to a storage, a process removes temporary files of killed processes. */
function tidy(root: string): Promise<void> {
  let done = tidied.get(root);
  if (!done) {
    done = removeAbandonedFiles(join(root, TEMP)).then(() => breakAbandonedLocks(join(root, LOCKS)));
    tidied.set(root, done);
  }
  return done.catch(() => undefined); // leftover files do not prevent writing
}

/** Creates the folder for `work`, again if another process removes the empty folder in between. */
async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<{ result: T; isNew: boolean }> {
  for (let left = 20, isNew = false; ; left--) {
    try {
      if (await mkdir(folder, { recursive: true })) isNew = true;
      return { result: await work(), isNew };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || left === 0) throw error;
    }
  }
}

/** Publishes the file under its name if the condition holds. */
async function publish(root: string, temp: string, path: string, condition: PutCondition): Promise<Published> {
  const { ifMatch } = condition;
  const lock = join(root, LOCKS, createHash("sha256").update(path).digest("hex").slice(0, 32));
  if (ifMatch !== undefined) {
    return swapLocked(lock, temp, path, async (held) => {
      const before = await stat(path, { bigint: true }).catch(() => undefined);
      return before && etagOf(before) === ifMatch ? etagAfter(held, before) : undefined;
    });
  }
  const etag = await etagAt(temp);
  if (!condition.ifAbsent) {
    await renameOver(temp, path);
    return { outcome: "written", etag };
  }
  try {
    await link(temp, path); // fails when the name is taken, unlike rename
    return { outcome: "written", etag };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return { outcome: "refused" };
    if (!isNoLink(error)) throw error;
    return swapLocked(lock, temp, path, async (held) => ((await isTaken(path)) ? undefined : etagAt(held)));
  }
}

async function isTaken(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (isAbsent(error)) return false;
      throw error;
    },
  );
}

/** File times are coarse and inodes are reused: a new file must not have the etag of an earlier one. */
async function etagAfter(path: string, { mtimeNs, mtimeMs }: BigIntStats): Promise<string> {
  let own = await stat(path, { bigint: true });
  for (const step of TIME_STEPS_MS) {
    if (own.mtimeNs > mtimeNs) return etagOf(own);
    const later = (Number(mtimeMs) + step) / 1000; // a fraction of seconds may lose part of a millisecond
    await utimes(path, later, later);
    own = await stat(path, { bigint: true });
  }
  return etagOf(own);
}

async function* list(root: string, prefix: string): AsyncIterable<ObjectInfo> {
  assertPrefix(prefix);
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  await assertInside(root, join(root, folder));
  yield* walk(root, folder, prefix);
}

async function listFolders(root: string, path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((e) => absent(e, root));
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name);
  const filled = await Promise.all(folders.map((name) => holdsFile(join(path, name))));
  return folders.filter((_, i) => filled[i]).sort();
}

/** A folder is only a shared prefix of keys: an empty one, left by a killed process, does not count. */
async function holdsFile(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  if (entries.some((entry) => !entry.isDirectory())) return true;
  for (const { name } of entries) if (await holdsFile(join(folder, name))) return true;
  return false;
}

async function* walk(root: string, folder: string, prefix: string): AsyncIterable<ObjectInfo> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((e) => absent(e, root));
  const named = entries.map((entry) => ({ entry, key: `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}` }));
  named.sort((a, b) => (a.key < b.key ? -1 : 1)); // a folder sorts with its slash, like its keys
  for (const { entry, key } of named) {
    if (key === `${TEMP}/`) continue;
    if (entry.isDirectory()) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) yield* walk(root, key, prefix);
    } else if (entry.isFile() && key.startsWith(prefix)) {
      const info = await head(key, join(root, key));
      if (info) yield info; // deleted after the listing: skipped
    }
  }
}

/** True when the folder (or its nearest existing parent) is writable. */
export async function isWritable(folder: string): Promise<boolean> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    try {
      await access(path, constants.W_OK);
      return (await stat(path)).isDirectory();
    } catch (error) {
      if (!isAbsent(error) || path === dirname(path)) return false;
    }
  }
}

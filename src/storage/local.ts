import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, copyFile, link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { messageOf, ScytheError } from "../errors.ts";
import { assertKey } from "./key.ts";
import { withLock } from "./local-lock.ts";
import type { ObjectInfo, PutCondition, PutResult, Storage, StoredObject } from "./storage.ts";

/** Half-written files wait here, on the same file system, until a rename shows them whole. */
const TEMP = ".scythe-tmp";

/** A storage in a folder of this machine. The folder is made at the first write. */
export function localStorage(folder: string): Storage {
  const root = resolve(folder);
  const uri = pathToFileURL(root).href.replace(/\/$/, "");
  const pathOf = (key: string): string => {
    assertKey(key);
    return join(root, ...key.split("/"));
  };

  return {
    uri,
    uriOf: (key) => `${uri}/${key.split("/").map(encodeURIComponent).join("/")}`,
    keyOf: (other) => keyOf(root, other),
    head: (key) => head(key, pathOf(key)),
    get: async (key) => {
      return read(pathOf(key));
    },
    put: (key, body, condition) => write(root, pathOf(key), (temp) => writeSynced(temp, body), condition),
    putFile: (key, path, options = {}) => putFile(root, pathOf(key), path, options),
    getFile: async (key, path) => {
      await mkdir(dirname(path), { recursive: true });
      const temp = `${path}.${randomUUID()}.part`;
      await copyFile(pathOf(key), temp, constants.COPYFILE_FICLONE).catch((e) => fail(e, "read", pathOf(key)));
      await rename(temp, path);
    },
    list: (prefix) => list(root, prefix),
    listFolders: async (prefix) => {
      const entries = await readdir(join(root, prefix), { withFileTypes: true }).catch((e) => absent(e, root));
      return entries
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
        .map((entry) => entry.name)
        .sort();
    },
    delete: async (keys) => {
      for (const key of keys) await rm(pathOf(key), { force: true });
    },
    localPath: pathOf,
  };
}

function keyOf(root: string, uri: string): string | undefined {
  if (!uri.startsWith("file://")) return undefined;
  const path = fileURLToPath(uri);
  return path.startsWith(root + sep)
    ? path
        .slice(root.length + 1)
        .split(sep)
        .join("/")
    : undefined;
}

/** Through one handle, so that the etag is that of the bytes even while another process replaces the file. */
async function read(path: string): Promise<StoredObject> {
  const file = await open(path, "r").catch((e) => fail(e, "read", path));
  try {
    const etag = etagOf(await file.stat({ bigint: true }));
    return { body: await file.readFile(), etag };
  } catch (error) {
    return fail(error, "read", path);
  } finally {
    await file.close();
  }
}

async function head(key: string, path: string): Promise<ObjectInfo | undefined> {
  try {
    const info = await stat(path, { bigint: true });
    if (!info.isFile()) return undefined;
    return { key, size: Number(info.size), etag: etagOf(info), modified: info.mtime };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    return fail(error, "look at", path);
  }
}

/** Every write makes a new file, so its inode and its time in nanoseconds tell two writes apart. */
function etagOf(info: { size: bigint; mtimeNs: bigint; ino: bigint }): string {
  return `${info.size}-${info.mtimeNs}-${info.ino}`;
}

const etagAt = async (path: string): Promise<string> => etagOf(await stat(path, { bigint: true }));

async function putFile(
  root: string,
  path: string,
  source: string,
  options: PutCondition & { move?: boolean },
): Promise<PutResult> {
  const bring = async (temp: string) => {
    await copyFile(source, temp, constants.COPYFILE_FICLONE).catch((e) => fail(e, "copy", source));
    await sync(temp);
  };
  const move = async (temp: string) => {
    try {
      await rename(source, temp);
      await sync(temp);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
      await bring(temp);
    }
  };
  const result = await write(root, path, options.move ? move : bring, options);
  if (options.move) await rm(source, { force: true });
  return result;
}

/** Fills a temporary file, then shows it under its own name in one step. */
async function write(
  root: string,
  path: string,
  fill: (temp: string) => Promise<void>,
  condition: PutCondition = {},
): Promise<PutResult> {
  const temp = join(root, TEMP, randomUUID());
  try {
    await mkdir(dirname(temp), { recursive: true });
    await mkdir(dirname(path), { recursive: true });
    await fill(temp);
    const written = await show(temp, path, condition, await etagAt(temp));
    if (!written) return { written: false };
    await syncFolder(dirname(path));
    return { written: true, etag: written };
  } catch (error) {
    return fail(error, "write", path);
  } finally {
    await rm(temp, { force: true });
  }
}

/** Gives the file its name; the etag it has there, or undefined when the condition did not hold. */
async function show(temp: string, path: string, condition: PutCondition, etag: string): Promise<string | undefined> {
  if (condition.ifAbsent) {
    try {
      await link(temp, path); // fails when the name is taken, unlike rename
      return etag;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
      throw error;
    }
  }
  if (condition.ifMatch === undefined) {
    await rename(temp, path);
    return etag;
  }
  return withLock(`${path}.lock`, async () => {
    const now = await etagAt(path).catch(() => undefined);
    if (now !== condition.ifMatch) return undefined;
    await rename(temp, path);
    return etag;
  });
}

async function writeSynced(path: string, body: Uint8Array | string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename is durable only once its folder is; systems that cannot sync a folder (Windows) do without. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

async function* list(root: string, prefix: string): AsyncIterable<ObjectInfo> {
  const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  yield* walk(root, folder, prefix);
}

async function* walk(root: string, folder: string, prefix: string): AsyncIterable<ObjectInfo> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((e) => absent(e, root));
  const named = entries.map((entry) => ({ entry, key: `${folder}${entry.name}${entry.isDirectory() ? "/" : ""}` }));
  named.sort((a, b) => (a.key < b.key ? -1 : 1)); // a folder sorts by its slash, as its keys do
  for (const { entry, key } of named) {
    if (entry.name === TEMP || entry.name.endsWith(".lock")) continue;
    if (entry.isDirectory()) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) yield* walk(root, key, prefix);
    } else if (entry.isFile() && key.startsWith(prefix)) {
      const info = await head(key, join(root, key));
      if (info) yield info; // gone between the listing and the look: not there
    }
  }
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

function absent(error: unknown, root: string): never[] {
  if (isAbsent(error)) return [];
  return fail(error, "list", root);
}

function fail(error: unknown, action: string, path: string): never {
  if (error instanceof ScytheError) throw error;
  if (isAbsent(error) && action === "read") {
    throw new ScytheError("not_found", `No file ${path}`, { cause: error, details: { path } });
  }
  throw new ScytheError("storage", `Could not ${action} ${path}: ${messageOf(error)}`, {
    hint: hintFor((error as NodeJS.ErrnoException).code),
    cause: error,
    details: { path },
  });
}

function hintFor(code: string | undefined): string {
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") return "Choose a folder you may write to (--storage).";
  if (code === "ENOSPC" || code === "EDQUOT") return "The disk is full: free some space, then resume the run.";
  if (code === "ENOTDIR" || code === "EEXIST")
    return "A file stands where a folder is needed: choose another --storage.";
  return "Check that the disk is there and the folder is readable.";
}

/** True when the folder (or its nearest existing parent) may be written. */
export async function isWritable(folder: string): Promise<boolean> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    try {
      await access(path, constants.W_OK);
      return true;
    } catch (error) {
      if (!isAbsent(error) || path === dirname(path)) return false;
    }
  }
}

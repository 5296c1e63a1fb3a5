import { constants } from "node:fs";
import { copyFile, mkdir, open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { renameOver } from "../../platform/rename-over.ts";
import { ownedName } from "../../temporary.ts";
import type { ObjectInfo, StoredObject } from "../storage.ts";
import { fail, isAbsent } from "./errors.ts";

/** Reads through one handle, so that the etag belongs to the bytes even while another process replaces the file. */
export async function read(path: string): Promise<StoredObject> {
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

export async function readRange(path: string, start: number, end: number): Promise<Uint8Array> {
  const file = await open(path, "r").catch((e) => fail(e, "read", path));
  try {
    const { size } = await file.stat();
    const body = Buffer.alloc(Math.max(0, Math.min(end, size) - start));
    const { bytesRead } = await file.read(body, 0, body.length, start);
    return body.subarray(0, bytesRead);
  } catch (error) {
    return fail(error, "read", path);
  } finally {
    await file.close();
  }
}

export async function getFile(path: string, target: string): Promise<void> {
  const temp = `${target}.${ownedName()}.part`;
  try {
    await mkdir(dirname(target), { recursive: true });
    await copyFile(path, temp, constants.COPYFILE_FICLONE).catch((e) => fail(e, "read", path));
    await renameOver(temp, target);
  } catch (error) {
    await rm(temp, { force: true });
    fail(error, "write", target);
  }
}

export async function head(key: string, path: string): Promise<ObjectInfo | undefined> {
  try {
    const info = await stat(path, { bigint: true });
    if (!info.isFile()) return undefined;
    return { key, size: Number(info.size), etag: etagOf(info), modified: info.mtime };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    return fail(error, "look at", path);
  }
}

export async function etagAt(path: string): Promise<string> {
  return etagOf(await stat(path, { bigint: true }));
}

/** Every write creates a new file, so inode and time in nanoseconds distinguish two writes. */
export function etagOf(info: { size: bigint; mtimeNs: bigint; ino: bigint }): string {
  return `${info.size}-${info.mtimeNs}-${info.ino}`;
}

import { mkdir, readdir, readFile, rename, rm, rmdir, stat, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../../errors.ts";
import { platform } from "../../platform/current.ts";
import { renameOver } from "../../platform/rename-over.ts";
import { isAbandoned } from "../../temporary.ts";
import { isAbsent } from "./errors.ts";
import { etagAt } from "./read.ts";

/**
 * Replaces a file only if it is unchanged (docs/decisions/0013-local-compare-and-swap.md). The lock is a folder that
 * contains the new file, and publishing is one rename out of that folder: the write and the release of the lock at
 * once. Breaking a lock removes the file in it, so a suspended holder that resumes has nothing to publish.
 */

/**
 * A lock whose owner is dead is broken at once, any other when it has not changed for this long, by this process's
 * monotonic clock.
 */
const STALE_MS = 10_000;
const GIVE_UP_MS = 30_000;

export type Published = { outcome: "written"; etag: string } | { outcome: "refused" } | { outcome: "lost" };

/**
 * Moves `temp` to `target` if `check` allows it.
 * @param temp temporary file with a unique name; it is removed afterwards
 * @param check gets the file's current path, returns its etag, or undefined to refuse
 * @returns `lost` when another process broke the lock before the move: nothing was written, and the file is removed
 */
export async function swapLocked(
  lock: string,
  temp: string,
  target: string,
  check: (path: string) => Promise<string | undefined>,
): Promise<Published> {
  const owner = basename(temp);
  const prepared = `${lock}.${owner}`;
  const held = join(lock, owner);
  await mkdir(prepared, { recursive: true });
  try {
    await rename(temp, join(prepared, owner));
    await acquire(lock, prepared);
    try {
      const etag = await check(held);
      if (etag === undefined) return { outcome: "refused" };
      await publish(held, target, etag);
      return { outcome: "written", etag };
    } catch (error) {
      if (isAbsent(error)) return { outcome: "lost" }; // or the target's folder was removed: the next attempt finds out
      throw error;
    } finally {
      await rm(held, { force: true });
      await rmdir(lock).catch(() => undefined); // it may belong to another process now
    }
  } finally {
    await rm(prepared, { recursive: true, force: true });
  }
}

/** A network disk whose answer was lost may report that a completed rename had nothing to rename. */
async function publish(held: string, target: string, etag: string): Promise<void> {
  await renameOver(held, target).catch(async (error: unknown) => {
    if (!isAbsent(error) || (await etagAt(target).catch(() => undefined)) !== etag) throw error;
  });
}

/** Renames the prepared folder to the lock's name, so the lock has its content and names its owner from the start. */
async function acquire(lock: string, prepared: string): Promise<void> {
  const begun = performance.now();
  let seen: { holder: string; since: number } | undefined;
  while (!(await tryRename(prepared, lock))) {
    const holder = await holderOf(lock);
    const now = performance.now();
    if (holder !== undefined && holder !== seen?.holder) seen = { holder, since: now };
    if (holder !== undefined && (isAbandoned(holder) || now - seen!.since > STALE_MS)) await breakLock(lock, holder);
    if (holder === undefined) await rmdir(lock).catch(() => undefined); // empty; some systems cannot rename over a folder
    if (now - begun > GIVE_UP_MS) {
      throw new ScytheError("storage", `Another process holds ${lock}`, {
        hint: "Remove it if no Scythe process is running.",
      });
    }
    await sleep(2 + Math.random() * 8);
  }
}

/** Renames a folder over another only if that is empty. */
async function tryRename(prepared: string, lock: string): Promise<boolean> {
  try {
    await rename(prepared, lock);
    return true;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (platform.folderTaken.includes(code)) return false;
    throw error;
  }
}

/** The holder of a lock, from the name of the file in it; undefined when it is free. */
async function holderOf(lock: string): Promise<string | undefined> {
  try {
    return (await readdir(lock))[0];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTDIR") return undefined;
    return holderOfFile(lock);
  }
}

/** Locks of earlier versions are files that contain the owner's name. */
async function holderOfFile(lock: string): Promise<string | undefined> {
  try {
    const { ino, mtimeNs } = await stat(lock, { bigint: true });
    return `${await readFile(lock, "utf8")} ${ino}-${mtimeNs}`;
  } catch {
    return undefined;
  }
}

/** Removes the file of exactly this holder: of two concurrent calls, one finds it missing. */
async function breakLock(lock: string, holder: string): Promise<void> {
  await unlink(join(lock, holder)).catch(async (error: unknown) => {
    const isFile = (error as NodeJS.ErrnoException).code === "ENOTDIR" && (await holderOfFile(lock)) === holder;
    if (isFile) await unlink(lock).catch(() => undefined); // fails for a folder
  });
}

/** Breaks locks that dead processes left in a folder. */
export async function breakAbandonedLocks(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if (isAbandoned(name)) await rm(path, { recursive: true, force: true });
    const holder = isAbandoned(name) === undefined ? await holderOf(path) : undefined;
    if (holder !== undefined && isAbandoned(holder)) await breakLock(path, holder);
    if (isAbandoned(name) === undefined) await rmdir(path).catch(() => undefined); // fails for one in use, which is not empty
  }
}

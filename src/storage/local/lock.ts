import { mkdir, readdir, readFile, rename, rm, rmdir, stat, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../../errors.ts";
import { platform } from "../../platform/current.ts";
import { isAbandoned } from "../../temporary.ts";
import { isAbsent } from "./errors.ts";
import { etagAt } from "./read.ts";

/**
 * Replacing a file only while it is what it was (docs/decisions/0013-local-compare-and-swap.md). The lock is a folder
 * that holds the new file, and publishing it is one rename out of that folder: the write and the end of the lock at once.
 * Whoever breaks a lock removes the file in it, so that a holder that was stopped, and wakes, has nothing to publish.
 */

/**
 * A lock whose owner is dead is broken at once, any other when it has not changed for this long. No clock but this
 * process's own, which never jumps, is asked.
 */
const STALE_MS = 10_000;
const GIVE_UP_MS = 30_000;

export type Shown = { outcome: "written"; etag: string } | { outcome: "refused" } | { outcome: "lost" };

/**
 * Moves `temp` to `target` if `check` still wants it.
 * @param temp unfinished file with a name of this attempt's own; it is gone afterwards
 * @param check told where the file is by now, gives its etag; undefined to refuse
 * @returns `lost` when somebody broke the lock before the move: nothing was written, and the file is gone
 */
export async function swapLocked(
  lock: string,
  temp: string,
  target: string,
  check: (path: string) => Promise<string | undefined>,
): Promise<Shown> {
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
      if (isAbsent(error)) return { outcome: "lost" }; // or the target's folder is: the next attempt sees that
      throw error;
    } finally {
      await rm(held, { force: true });
      await rmdir(lock).catch(() => undefined); // another's by now
    }
  } finally {
    await rm(prepared, { recursive: true, force: true });
  }
}

/** A network disk that lost its own answer says of a rename which it has done that there is nothing to rename. */
async function publish(held: string, target: string, etag: string): Promise<void> {
  await rename(held, target).catch(async (error: unknown) => {
    if (!isAbsent(error) || (await etagAt(target).catch(() => undefined)) !== etag) throw error;
  });
}

/** Gives the prepared folder the lock's name: so the lock has its content and names its owner from its first moment on. */
async function acquire(lock: string, prepared: string): Promise<void> {
  const begun = performance.now();
  let seen: { holder: string; since: number } | undefined;
  while (!(await tryRename(prepared, lock))) {
    const holder = await holderOf(lock);
    const now = performance.now();
    if (holder !== undefined && holder !== seen?.holder) seen = { holder, since: now };
    if (holder !== undefined && (isAbandoned(holder) || now - seen!.since > STALE_MS)) await breakLock(lock, holder);
    if (holder === undefined) await rmdir(lock).catch(() => undefined); // empty; some systems rename over no folder
    if (now - begun > GIVE_UP_MS) {
      throw new ScytheError("storage", `Another process holds ${lock}`, { hint: "Remove it if nothing runs." });
    }
    await sleep(2 + Math.random() * 8);
  }
}

/** A folder takes another's name only while there is nothing in it. */
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

/** Who holds a lock, as the name of the file in it says; undefined when it is free. */
async function holderOf(lock: string): Promise<string | undefined> {
  try {
    return (await readdir(lock))[0];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTDIR") return undefined;
    return holderOfFile(lock);
  }
}

/** Earlier versions had a file for a lock, which holds its owner's name. */
async function holderOfFile(lock: string): Promise<string | undefined> {
  try {
    const { ino, mtimeNs } = await stat(lock, { bigint: true });
    return `${await readFile(lock, "utf8")} ${ino}-${mtimeNs}`;
  } catch {
    return undefined;
  }
}

/** Takes its file from the holder that was seen, and from nobody else: of two at once, one finds it gone. */
async function breakLock(lock: string, holder: string): Promise<void> {
  await unlink(join(lock, holder)).catch(async (error: unknown) => {
    const isFile = (error as NodeJS.ErrnoException).code === "ENOTDIR" && (await holderOfFile(lock)) === holder;
    if (isFile) await unlink(lock).catch(() => undefined); // which fails for a folder
  });
}

/** Breaks the locks in a folder that dead processes left. */
export async function breakAbandonedLocks(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if (isAbandoned(name)) await rm(path, { recursive: true, force: true });
    const holder = isAbandoned(name) === undefined ? await holderOf(path) : undefined;
    if (holder !== undefined && isAbandoned(holder)) await breakLock(path, holder);
    if (isAbandoned(name) === undefined) await rmdir(path).catch(() => undefined); // one in use is not empty
  }
}

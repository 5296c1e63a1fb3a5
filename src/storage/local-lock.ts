import { link, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../errors.ts";
import { isAbandoned, ownedName } from "../temporary.ts";

/**
 * A lock is held for one rename. One whose owner is dead is broken at once; one of another machine, whose processes
 * cannot be asked, when it has not changed for this long. No clock but this process's own, which never jumps, is asked.
 */
const STALE_MS = 10_000;
const GIVE_UP_MS = 30_000;

/** Runs `work` while this process alone holds the lock file: the step that makes compare-and-swap atomic on a disk. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const owner = ownedName();
  const own = `${path}.${owner}`;
  await writeFile(own, owner, { flag: "wx" });
  try {
    await acquire(path, own);
    try {
      return await work();
    } finally {
      await rm(path, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** Gives the own file the lock's name: so the lock names its owner from its first moment on. */
async function acquire(path: string, own: string): Promise<void> {
  const begun = performance.now();
  let seen: { id: string; since: number } | undefined;
  while (!(await tryLink(own, path))) {
    const held = await look(path);
    const now = performance.now();
    if (held && held.id !== seen?.id) seen = { id: held.id, since: now };
    if (held && (held.abandoned || now - seen!.since > STALE_MS)) await breakLock(path, held.id);
    if (now - begun > GIVE_UP_MS) {
      throw new ScytheError("storage", `Another process holds ${path}`, { hint: "Remove the file if nothing runs." });
    }
    await sleep(2 + Math.random() * 8);
  }
}

/** Breaks the locks in a folder that dead processes left. */
export async function breakAbandonedLocks(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    if (isAbandoned(name)) await rm(path, { force: true });
    const held = isAbandoned(name) === undefined ? await look(path) : undefined;
    if (held?.abandoned) await breakLock(path, held.id);
  }
}

/** Of many that see the same stale lock one at a time looks again; one that was taken anew in between stays. */
async function breakLock(path: string, id: string): Promise<void> {
  await withLock(`${path}-${id}`, async () => {
    if ((await look(path))?.id === id) await rm(path, { force: true });
  });
}

async function tryLink(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function look(path: string): Promise<{ id: string; abandoned: boolean } | undefined> {
  try {
    const { ino, mtimeNs } = await stat(path, { bigint: true });
    return { id: `${ino}-${mtimeNs}`, abandoned: isAbandoned(await readFile(path, "utf8")) === true };
  } catch {
    return undefined; // given back meanwhile
  }
}

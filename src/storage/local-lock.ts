import { link, mkdir, open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../errors.ts";

/** A lock is held for one rename; one this old was left by a process that died. */
const STALE_MS = 10_000;
const GIVE_UP_MS = 30_000;

/** Runs `work` while this process alone holds the lock file: the step that makes compare-and-swap atomic on a disk. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const deadline = Date.now() + GIVE_UP_MS;
  while (!(await tryLock(path))) {
    if (Date.now() > deadline) {
      throw new ScytheError("storage", `Another process holds ${path}`, { hint: "Remove the file if nothing runs." });
    }
    await breakStale(path);
    await sleep(2 + Math.random() * 8);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Of many that see the same stale lock, the one that can give it its second name removes it; a lock that was taken
 * anew in between is another file, and stays.
 */
async function breakStale(path: string): Promise<void> {
  const stale = await identity(path);
  if (!stale || Date.now() - stale.mtimeMs < STALE_MS) return;
  const aside = `${path}.${stale.id}`;
  if (
    !(await link(path, aside).then(
      () => true,
      () => false,
    ))
  )
    return;
  if ((await identity(aside))?.id === stale.id) await rm(path, { force: true });
  await rm(aside, { force: true });
}

async function identity(path: string): Promise<{ id: string; mtimeMs: number } | undefined> {
  const info = await stat(path, { bigint: true }).catch(() => undefined);
  return info && { id: `${info.ino}-${info.mtimeNs}`, mtimeMs: Number(info.mtimeMs) };
}

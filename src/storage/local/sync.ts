import { open } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes a write survive a power failure: syncs the file's bytes, then its name, then the folders above it. */

export async function writeSynced(path: string, body: Uint8Array | string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Folders that this process has synced up to the storage's root; bounded, as a tree may have very many. */
const durable = new Set<string>();
const REMEMBERED = 10_000;

/**
 * Makes a file's name durable: its folder and all folders above must be synced, as another process may have just
 * created them.
 */
export async function syncFolders(root: string, folder: string, isNew: boolean): Promise<void> {
  await syncFolder(folder);
  if (durable.has(folder) && !isNew) return;
  for (let at = folder; at.startsWith(root); at = dirname(at)) await syncFolder(dirname(at));
  if (durable.size >= REMEMBERED) durable.clear();
  durable.add(folder);
}

/** Does nothing on systems that cannot sync a folder (Windows). */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

import { open } from "node:fs/promises";
import { dirname } from "node:path";

/** What makes a write outlive a power cut: the file's bytes first, then its name, then the folders that lead to it. */

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

/** Folders that this process has seen on disk, up to the storage's root; bounded, as a tree may have very many. */
const durable = new Set<string>();
const REMEMBERED = 10_000;

/**
 * A file's name is durable once its folder is, and that once every folder above it is: another process may have made
 * those a moment ago.
 */
export async function syncFolders(root: string, folder: string, isNew: boolean): Promise<void> {
  await syncFolder(folder);
  if (durable.has(folder) && !isNew) return;
  for (let at = folder; at.startsWith(root); at = dirname(at)) await syncFolder(dirname(at));
  if (durable.size >= REMEMBERED) durable.clear();
  durable.add(folder);
}

/** Systems that cannot sync a folder (Windows) do without. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

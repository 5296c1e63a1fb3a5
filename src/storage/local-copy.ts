import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Storage } from "./storage.ts";

/** Where an object can be read on this machine: in place when the storage is local, else a copy in `folder`. */
export async function localCopy(storage: Storage, key: string, folder: string): Promise<string> {
  if (storage.localPath) return storage.localPath(key);
  const path = join(folder, `${randomUUID()}.pq`);
  await storage.getFile(key, path);
  return path;
}

/** {@link localCopy} for the time of `work`: a copy goes afterwards, an object in a local storage stays. */
export async function withLocalCopy<T>(
  storage: Storage,
  key: string,
  folder: string,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const path = await localCopy(storage, key, folder);
  try {
    return await work(path);
  } finally {
    if (!storage.localPath) await rm(path, { force: true });
  }
}

/** {@link localCopy} of many, some at a time, in the order of the keys. */
export async function localCopies(storage: Storage, keys: readonly string[], folder: string): Promise<string[]> {
  const paths: string[] = new Array(keys.length);
  let next = 0;
  const workers = Array.from({ length: Math.min(8, keys.length) }, async () => {
    for (let i = next++; i < keys.length; i = next++) paths[i] = await localCopy(storage, keys[i]!, folder);
  });
  await Promise.all(workers);
  return paths;
}

import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import pMap from "p-map";
import type { Storage } from "./storage.ts";

const CONCURRENCY = 8;

/** A local path of an object: in place when the storage is local, otherwise a copy in `folder`. */
export async function localCopy(storage: Storage, key: string, folder: string): Promise<string> {
  if (storage.localPath) return storage.localPath(key);
  const path = join(folder, `${randomUUID()}.pq`);
  await storage.getFile(key, path);
  return path;
}

/** {@link localCopy} for the duration of `work`: a copy is removed afterwards, an object in a local storage stays. */
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

/** {@link localCopy} of many objects, concurrently, in the order of the keys. */
export async function localCopies(storage: Storage, keys: readonly string[], folder: string): Promise<string[]> {
  return pMap(keys, (key) => localCopy(storage, key, folder), { concurrency: CONCURRENCY });
}

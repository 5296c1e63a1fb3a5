import type { Storage } from "../src/storage/storage.ts";

export type StorageStep = "head" | "list" | "get" | "getFile" | "put" | "putFile" | "delete";

/**
 * A storage that tells of each step before it takes it: what is told may wait, write something first, or throw, which is
 * what a process that is killed there looks like to the storage.
 */
export function watchedStorage(
  inner: Storage,
  before: (step: StorageStep, key: string) => Promise<void> | void,
): Storage {
  const told: Partial<Storage> = {
    head: async (key) => {
      await before("head", key);
      return inner.head(key);
    },
    get: async (key) => {
      await before("get", key);
      return inner.get(key);
    },
    getFile: async (key, path) => {
      await before("getFile", key);
      return inner.getFile(key, path);
    },
    list: async function* (prefix) {
      await before("list", prefix);
      yield* inner.list(prefix);
    },
    put: async (key, body, condition) => {
      await before("put", key);
      return inner.put(key, body, condition);
    },
    putFile: async (key, path, options) => {
      await before("putFile", key);
      return inner.putFile(key, path, options);
    },
    delete: async (keys) => {
      for (const key of keys) await before("delete", key);
      return inner.delete(keys);
    },
  };
  return new Proxy(inner, {
    get: (target, name: keyof Storage) => {
      const own = told[name] ?? target[name];
      return typeof own === "function" ? (own as (...args: unknown[]) => unknown).bind(target) : own;
    },
  });
}

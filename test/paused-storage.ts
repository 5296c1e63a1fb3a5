import type { Storage } from "scythe-ts";

/** A storage before whose every write something may happen. @param before told the key, and the text if it is one */
export function pausedStorage(storage: Storage, before: (key: string, text: string) => Promise<void> | void): Storage {
  return {
    ...storage,
    put: async (key, body, condition) => {
      await before(key, typeof body === "string" ? body : "");
      return storage.put(key, body, condition);
    },
    putFile: async (key, path, options) => {
      await before(key, "");
      return storage.putFile(key, path, options);
    },
    copy: async (from, to) => {
      await before(to, "");
      return storage.copy(from, to);
    },
  };
}

/** The same, but only before the first write whose key fits. */
export function pausedOnce(storage: Storage, at: RegExp, then: (key: string) => Promise<unknown> | unknown): Storage {
  let reached = false;
  return pausedStorage(storage, async (key) => {
    if (reached || !at.test(key)) return;
    reached = true;
    await then(key);
  });
}

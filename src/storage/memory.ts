import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { ScytheError } from "../errors.ts";
import { assertKey } from "./key.ts";
import type { ObjectInfo, PutCondition, PutResult, Storage } from "./storage.ts";

/** A storage in this process's memory, for tests. */
export function memoryStorage(name = "memory"): Storage {
  const objects = new Map<string, { body: Uint8Array; etag: string; modified: Date }>();
  let writes = 0;
  const uri = `memory://${name}`;

  const info = (key: string): ObjectInfo | undefined => {
    const object = objects.get(key);
    return object && { key, size: object.body.byteLength, etag: object.etag, modified: object.modified };
  };
  const put = (key: string, body: Uint8Array | string, condition: PutCondition = {}): PutResult => {
    assertKey(key);
    const now = objects.get(key);
    if (condition.ifAbsent && now) return { written: false };
    if (condition.ifMatch !== undefined && now?.etag !== condition.ifMatch) return { written: false };
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : Uint8Array.from(body);
    const etag = `${writes++}-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
    objects.set(key, { body: bytes, etag, modified: new Date() });
    return { written: true, etag };
  };
  const get = (key: string) => {
    const object = objects.get(key);
    if (!object) throw new ScytheError("not_found", `No object ${uri}/${key}`, { details: { key } });
    return object;
  };
  const keys = (prefix: string) => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();

  return {
    uri,
    uriOf: (key) => `${uri}/${key}`,
    keyOf: (other) => (other.startsWith(`${uri}/`) ? other.slice(uri.length + 1) : undefined),
    head: async (key) => info(key),
    get: async (key) => ({ body: get(key).body, etag: get(key).etag }),
    put: async (key, body, condition) => put(key, body, condition),
    putFile: async (key, path, options = {}) => {
      const result = put(key, await readFile(path), options);
      if (options.move) await rm(path, { force: true });
      return result;
    },
    getFile: async (key, path) => writeFile(path, get(key).body),
    async *list(prefix) {
      for (const key of keys(prefix)) yield info(key)!;
    },
    listFolders: async (prefix) => [
      ...new Set(
        keys(prefix)
          .map((key) => key.slice(prefix.length).split("/"))
          .filter((parts) => parts.length > 1)
          .map((parts) => parts[0]!),
      ),
    ],
    delete: async (gone) => {
      for (const key of gone) objects.delete(key);
    },
  };
}

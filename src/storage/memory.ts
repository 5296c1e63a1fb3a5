import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ScytheError } from "../errors.ts";
import { ownedName } from "../temporary.ts";
import { assertKey, assertPrefix } from "./key.ts";
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
    assertKey(key);
    const object = objects.get(key);
    if (!object) throw new ScytheError("not_found", `No object ${uri}/${key}`, { details: { key } });
    return object;
  };
  const keys = (prefix: string) => {
    assertPrefix(prefix);
    return [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  };

  return {
    uri,
    uriOf: (key) => `${uri}/${key}`,
    keyOf: (other) => (other.startsWith(`${uri}/`) ? other.slice(uri.length + 1) : undefined),
    head: async (key) => {
      assertKey(key);
      return info(key);
    },
    get: async (key) => {
      const { body, etag } = get(key);
      return { body: Uint8Array.from(body), etag };
    },
    getRange: async (key, start, end) => get(key).body.slice(start, Math.max(start, end)),
    put: async (key, body, condition) => put(key, body, condition),
    putFile: async (key, path, options = {}) => {
      const result = put(key, await readFile(path), options);
      if (options.move && result.written) await rm(path, { force: true });
      return result;
    },
    getFile: async (key, path) => {
      const { body } = get(key);
      await mkdir(dirname(path), { recursive: true });
      const temp = `${path}.${ownedName()}.part`;
      await writeFile(temp, body);
      await rename(temp, path);
    },
    copy: async (from, to) => {
      put(to, get(from).body);
    },
    async *list(prefix) {
      for (const key of keys(prefix)) {
        const found = info(key); // deleted after the listing: skipped
        if (found) yield found;
      }
    },
    listFolders: async (prefix) => [
      ...new Set(
        keys(prefix)
          .map((key) => key.slice(prefix.length).split("/"))
          .filter((parts) => parts.length > 1)
          .map((parts) => parts[0]!)
          .sort(),
      ),
    ],
    delete: async (gone) => {
      gone.forEach(assertKey);
      for (const key of gone) objects.delete(key);
    },
  };
}

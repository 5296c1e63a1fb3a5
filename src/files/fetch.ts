import { basename } from "node:path";
import { ScytheError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import type { FileCache } from "./cache.ts";
import { downloadHttp, type HttpOptions } from "./http.ts";

export interface FetchSettings {
  /** The project's own storage: files of its runs. */
  storage: Storage;
  /** Opens the bucket of an `s3://` URI that lies elsewhere. */
  openBucket: (bucket: string) => Promise<Storage>;
  /** False for a key that is no file of a run: a storage in a folder may hold anything beside runs. */
  isRunFile: (key: string) => boolean;
  cache: FileCache;
  http: HttpOptions;
}

/** Looks each time whether the file is still there, and what was brought. */
type Use = () => Promise<string>;

/** @param anew asks again what the object is now: what was brought is not what it should be */
export type FetchUri = (uri: string, anew?: boolean) => Promise<string>;

/**
 * Brings files that specs refer to onto this machine, each once while its content stays the same.
 * @returns a function from URI to local path. @throws ScytheError naming the URI and what is wrong with it
 */
export function fileFetcher({ storage, openBucket, isRunFile, cache, http }: FetchSettings): FetchUri {
  const known = new Map<string, Promise<Use>>();
  const find = async (uri: string): Promise<Use> => {
    const own = storage.keyOf(uri);
    if (own !== undefined && (!storage.localPath || isRunFile(own))) return fromStorage(storage, own, uri, cache);
    if (uri.startsWith("s3://")) {
      const [bucket, ...rest] = uri.slice(5).split("/");
      return fromStorage(await openBucket(bucket!), rest.join("/"), uri, cache);
    }
    if (/^https?:\/\//i.test(uri)) {
      const { pathname } = new URL(uri);
      // no etag is asked for: once a process, and each day anew, is fresh enough for a file named by URL
      const identity = `${uri}\0${new Date().toISOString().slice(0, 10)}`;
      return () => cache.get(identity, pathname, (path) => downloadHttp(uri, path, http));
    }
    throw new ScytheError("invalid_input", `Cannot fetch ${uri}`, {
      hint: "A run's inputs are its own files (local ones are stored with it), http(s):// URLs or s3:// URIs.",
    });
  };
  return async (uri, anew = false) => {
    if (anew) known.delete(uri);
    let use = known.get(uri);
    if (!use) {
      use = find(uri);
      known.set(uri, use);
      use.catch(() => known.delete(uri));
    }
    return (await use)();
  };
}

async function fromStorage(storage: Storage, key: string, uri: string, cache: FileCache): Promise<Use> {
  const { localPath } = storage;
  if (localPath) return async () => localPath.call(storage, key);
  const info = (await storage.head(key)) ?? (await storage.head(decoded(key)));
  if (!info) throw new ScytheError("not_found", `No object ${uri}`, { hint: "Check the URI and who may read it." });
  return () => cache.get(`${uri}\0${info.etag}`, basename(info.key), (path) => storage.getFile(info.key, path));
}

/** Python Scythe percent-encodes URIs here and there and never decodes them. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

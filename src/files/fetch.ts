import { basename } from "node:path";
import { ScytheError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import type { FileCache } from "./cache.ts";
import { downloadHttp, type HttpOptions } from "./http.ts";

export interface FetchSettings {
  /** The project's own storage: files of its runs. */
  storage: Storage;
  /** Opens the bucket of an `s3://` URI outside of the project's storage. */
  openBucket: (bucket: string) => Promise<Storage>;
  /** False for a key that is not a run's file: a storage folder may contain other files. */
  isRunFile: (key: string) => boolean;
  cache: FileCache;
  http: HttpOptions;
}

/** Returns the local path after checking that the file is still there and unchanged. */
type Use = () => Promise<string>;

/** @param refresh asks again for the object's current version, when the downloaded content is wrong */
export type FetchUri = (uri: string, refresh?: boolean) => Promise<string>;

/**
 * Downloads files that specs refer to, each once while its content stays the same.
 * @returns a function from URI to local path.
 * @throws ScytheError naming the URI and the problem
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
      // no etag is requested: once per process and day is fresh enough for a URL
      const identity = `${uri}\0${new Date().toISOString().slice(0, 10)}`;
      return () => cache.get(identity, pathname, (path) => downloadHttp(uri, path, http));
    }
    throw new ScytheError("invalid_input", `Cannot fetch ${uri}`, {
      hint: "A run's inputs are its own files (local ones are stored with it), http(s):// URLs or s3:// URIs.",
    });
  };
  return async (uri, refresh = false) => {
    if (refresh) known.delete(uri);
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

/** Python Scythe percent-encodes some URIs and never decodes them. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

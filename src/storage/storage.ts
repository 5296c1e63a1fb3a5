import { isScytheError } from "../errors.ts";

/** One stored object, as a listing returns it. */
export interface ObjectInfo {
  key: string;
  /** Bytes. */
  size: number;
  /** Changes whenever other content is written; opaque. */
  etag: string;
  modified: Date;
}

/** The content of an object. */
export interface StoredObject {
  body: Uint8Array;
  etag: string;
}

/** At most one condition; without one, a put replaces any existing object. */
export interface PutCondition {
  /** Write only when the key does not exist. */
  ifAbsent?: boolean;
  /** Write only over an object with this etag. */
  ifMatch?: string;
}

/** Whether the object was written, or the condition did not hold. */
export type PutResult = { written: true; etag: string } | { written: false };

/**
 * A place of keys and bytes. Keys are relative, `/`-separated, and never start with `/` or hold `.` or `..` segments.
 *
 * Contract (checked by `storage.testsuite.ts` against every implementation):
 * - a write is whole or not at all, and is durable when its promise resolves; readers never see a part of it;
 * - `put` with a condition is atomic: of many writers exactly one wins, the others get `written: false`;
 * - `list` is sorted by key and sees every write that was done before it began.
 *
 * @throws ScytheError `storage` when the place cannot be reached or written, `not_found` for a missing key.
 */
export interface Storage {
  /** `file:///…` or `s3://bucket/prefix`, without a trailing slash. */
  readonly uri: string;
  /** The URI of a key, whether or not there is an object. */
  uriOf(key: string): string;
  /** Undefined when the URI is not in this storage. */
  keyOf(uri: string): string | undefined;
  /** Undefined when the key does not exist. */
  head(key: string): Promise<ObjectInfo | undefined>;
  /** The whole object. */
  get(key: string): Promise<StoredObject>;
  /** Bytes from `start` up to but excluding `end`, limited to the object's size. */
  getRange(key: string, start: number, end: number): Promise<Uint8Array>;
  /** Writes an object; with a condition, only if it holds. */
  put(key: string, body: Uint8Array | string, condition?: PutCondition): Promise<PutResult>;
  /** Stores a local file; with `move` the storage may move the file instead of copying it, if it is written. */
  putFile(key: string, path: string, options?: PutCondition & { move?: boolean }): Promise<PutResult>;
  /** Downloads an object to a local file, which appears completely or not at all. */
  getFile(key: string, path: string): Promise<void>;
  /** Copies an object within this storage, replacing any existing one; an S3 server copies it itself. */
  copy(from: string, to: string): Promise<void>;
  /** All objects whose keys start with a prefix. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Names of the folders directly under a prefix (which ends in `/`, or is empty), sorted. */
  listFolders(prefix: string): Promise<string[]>;
  /** Deletes objects; keys that do not exist are ignored. */
  delete(keys: readonly string[]): Promise<void>;
  /** Limitations of this storage compared with others of its kind, and what to do about them: for `scythe doctor`. */
  caveats?(): Promise<{ said: string; todo: string }[]>;
  /** The path of an object on this machine's disk: it may be read, never written. */
  localPath?(key: string): string;
  /**
   * A folder for temporary files on the disk of {@link localPath}. It may not exist yet, and no listing includes it.
   */
  readonly scratch?: string;
}

/** Collects a listing; only for prefixes known to be small. */
export async function listAll(storage: Storage, prefix: string): Promise<ObjectInfo[]> {
  const all: ObjectInfo[] = [];
  for await (const info of storage.list(prefix)) all.push(info);
  return all;
}

/** The object's text, or undefined when the key does not exist. */
export async function getText(storage: Storage, key: string): Promise<{ text: string; etag: string } | undefined> {
  try {
    const { body, etag } = await storage.get(key);
    return { text: new TextDecoder().decode(body), etag };
  } catch (error) {
    if (isScytheError(error) && error.code === "not_found") return undefined;
    throw error;
  }
}

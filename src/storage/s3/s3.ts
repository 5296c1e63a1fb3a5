import { ScytheError } from "../../errors.ts";
import { assertKnownKeys, type Keys } from "../../known-keys.ts";
import type { ObjectInfo, Storage } from "../storage.ts";
import type { S3Address } from "./address.ts";
import { copyObject } from "./copy.ts";
import { getFile, getObject, getRange } from "./download.ts";
import type { S3Limits } from "./limits.ts";
import { deleteObjects, listFolders, listObjects } from "./list.ts";
import { keyIn, openPlace, uriIn } from "./place.ts";
import { putBytes, putFile } from "./upload.ts";
import { S3Writes } from "./writes.ts";

/** A bucket, or a prefix in one, and how to reach it. */
export interface S3StorageOptions extends S3Address {
  bucket: string;
  /** Prefix of all keys. */
  prefix?: string;
  limits?: Partial<S3Limits>;
}

const OPTIONS: Keys<S3StorageOptions> = {
  bucket: true,
  prefix: true,
  limits: true,
  region: true,
  endpoint: true,
  credentials: true,
};

/**
 * A storage in an S3 bucket, of AWS or of any server that supports conditional writes. Nothing is loaded or sent before
 * the first request. Transient errors (5xx, throttling, broken or silent connections, truncated bodies) are retried for
 * `limits.giveUpMs`; refusals fail at once, with a hint on what to allow or to set.
 */
export function s3Storage(options: S3StorageOptions): Storage {
  assertKnownKeys(options, OPTIONS, "s3Storage");
  const { bucket, prefix = "", limits = {}, ...address } = options;
  const place = openPlace(bucket, prefix, address, limits);
  const writes = new S3Writes(place);
  return {
    uri: place.uri,
    uriOf: (key) => uriIn(place, key),
    keyOf: (uri) => keyIn(place, uri),
    head: async (key) => {
      const found = await writes.head(key);
      return found && infoOf(found);
    },
    get: async (key) => getObject(place, writes, key),
    getRange: async (key, start, end) => getRange(place, key, start, end),
    put: async (key, body, condition) => putBytes(place, writes, key, body, condition),
    putFile: async (key, path, options = {}) => putFile(place, writes, key, path, options),
    getFile: async (key, path) => getFile(place, writes, key, path),
    copy: async (from, to) => copyObject(place, writes, from, to),
    list: (at) => listObjects(place, at),
    listFolders: async (at) => listFolders(place, at),
    delete: async (keys) => deleteObjects(place, keys),
  };
}

/** The bucket and the prefix of `s3://bucket/prefix`. @throws ScytheError `invalid_input` */
export function parseS3Uri(uri: string): { bucket: string; prefix: string } {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(uri);
  if (!match) {
    throw new ScytheError("invalid_input", `Not an S3 URI: ${JSON.stringify(uri)}`, {
      hint: "Write it as s3://bucket/prefix.",
    });
  }
  return { bucket: match[1]!, prefix: (match[2] ?? "").replace(/\/+$/, "") };
}

function infoOf({ key, size, etag, modified }: ObjectInfo): ObjectInfo {
  return { key, size, etag, modified };
}

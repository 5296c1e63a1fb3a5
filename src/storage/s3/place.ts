import { ScytheError } from "../../errors.ts";
import { assertKey } from "../key.ts";
import type { S3Address } from "./address.ts";
import { type S3Action, s3Code } from "./errors.ts";
import { DEFAULT_LIMITS, type S3Limits } from "./limits.ts";
import { type Call, makeCall } from "./retry.ts";

/** A bucket, the prefix of a storage's keys, and the function that sends requests. */
export interface S3Place {
  bucket: string;
  /** Empty, or ends in `/`. */
  prefix: string;
  uri: string;
  limits: S3Limits;
  call: Call;
  /** The key in the bucket. */
  objectKey(key: string): string;
  action(verb: string, permission: string, key: string): S3Action;
  /**
   * Checks, until it has succeeded once, that the bucket exists.
   * @throws ScytheError `storage`
   */
  assertBucketExists(): Promise<void>;
}

export function openPlace(bucket: string, prefix: string, address: S3Address, limits: Partial<S3Limits>): S3Place {
  if (!/^[^/\s]+$/.test(bucket)) {
    throw new ScytheError("invalid_input", `Not a bucket name: ${JSON.stringify(bucket)}`, {
      hint: "Write the storage as s3://bucket/prefix.",
    });
  }
  const folder = prefix.replace(/^\/+|\/+$/g, "");
  if (folder !== "") assertKey(folder);
  const all = { ...DEFAULT_LIMITS, ...limits };
  const root = folder === "" ? "" : `${folder}/`;
  const call = makeCall(address, all);
  return {
    bucket,
    prefix: root,
    uri: `s3://${bucket}/${encode(root)}`.replace(/\/$/, ""),
    limits: all,
    call,
    objectKey: (key) => {
      assertKey(key);
      return root + key;
    },
    action: (verb, permission, key) => ({ verb, permission, uri: `s3://${bucket}/${root}${key}`, bucket, key }),
    assertBucketExists: onceDone(() => findBucket(bucket, call)),
  };
}

/** Uses a listing, whose error has a reason, unlike that of a HEAD. Missing permission to list is accepted. */
async function findBucket(bucket: string, call: Call): Promise<void> {
  const action = { verb: "find", permission: "s3:ListBucket", uri: `s3://${bucket}`, bucket, key: "" };
  await call(action, async ({ sdk, client }) => {
    const asked = client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 }));
    await asked.catch((error) => {
      if (s3Code(error) !== "AccessDenied") throw error;
    });
  });
}

/** Repeats the work at each call until it has succeeded once. */
function onceDone(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work().catch((error) => {
      done = undefined;
      throw error;
    });
    return done;
  };
}

export function uriIn(place: S3Place, key: string): string {
  return `${place.uri}/${encode(key)}`;
}

export function keyIn(place: S3Place, uri: string): string | undefined {
  const start = `s3://${place.bucket}/`;
  if (!uri.startsWith(start)) return undefined;
  const inBucket = decode(uri.slice(start.length));
  return inBucket.startsWith(place.prefix) && inBucket !== place.prefix
    ? inBucket.slice(place.prefix.length)
    : undefined;
}

/** Encodes only what would break a URI, so that readers that never decode see plain keys. */
function encode(key: string): string {
  return encodeURI(key).replace(/[?#]/g, encodeURIComponent);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // an unencoded %
  }
}

/** Etags without quotes, which are only header syntax. */
export function plainEtag(etag: string | undefined): string {
  return (etag ?? "").replace(/^"(.*)"$/, "$1");
}

export function quotedEtag(etag: string): string {
  return etag.startsWith("W/") ? etag : `"${etag}"`;
}

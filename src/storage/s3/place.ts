import { ScytheError } from "../../errors.ts";
import { assertKey } from "../key.ts";
import type { S3Address, S3Limits } from "./address.ts";
import { type S3Action, s3Code } from "./errors.ts";
import { type Call, makeCall } from "./retry.ts";

const MB = 1024 * 1024;
const LIMITS: S3Limits = {
  connections: 64,
  connectMs: 5_000,
  stallMs: 30_000,
  giveUpMs: 90_000,
  unreachableMs: 4_000,
  pauseMs: 100,
  multipartSize: 16 * MB,
  partSize: 8 * MB,
  partsAtOnce: 4,
  copyPartSize: 512 * MB,
};

/** A bucket, the prefix under which a storage's keys lie, and the way to ask. */
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
  /** Asks the server until it has once said yes. @throws ScytheError `storage` */
  bucketIsThere(): Promise<void>;
}

export function openPlace(bucket: string, prefix: string, address: S3Address, limits: Partial<S3Limits>): S3Place {
  if (!/^[^/\s]+$/.test(bucket)) {
    throw new ScytheError("invalid_input", `Not a bucket name: ${JSON.stringify(bucket)}`, {
      hint: "Write the storage as s3://bucket/prefix.",
    });
  }
  const folder = prefix.replace(/^\/+|\/+$/g, "");
  if (folder !== "") assertKey(folder);
  const all = { ...LIMITS, ...limits };
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
    bucketIsThere: onceDone(() => findBucket(bucket, call)),
  };
}

/** By a listing, whose answer says why, unlike that of a HEAD. Who may not list must do without. */
async function findBucket(bucket: string, call: Call): Promise<void> {
  const action = { verb: "find", permission: "s3:ListBucket", uri: `s3://${bucket}`, bucket, key: "" };
  await call(action, async ({ sdk, client }) => {
    const asked = client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 }));
    await asked.catch((error) => {
      if (s3Code(error) !== "AccessDenied") throw error;
    });
  });
}

/** Does the work again until it has once succeeded. */
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

/** Only what would break a URI, so that readers who never decode see plain keys as they are. */
function encode(key: string): string {
  return encodeURI(key).replace(/[?#]/g, encodeURIComponent);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % of someone who does not encode
  }
}

/** Etags go without their quotes, as a header's syntax is none of the caller's business. */
export function plainEtag(etag: string | undefined): string {
  return (etag ?? "").replace(/^"(.*)"$/, "$1");
}

export function quotedEtag(etag: string): string {
  return etag.startsWith("W/") ? etag : `"${etag}"`;
}

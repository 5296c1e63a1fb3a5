import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import pMap from "p-map";
import { assertPrefix } from "../key.ts";
import type { ObjectInfo } from "../storage.ts";
import { CorruptBody } from "./errors.ts";
import { plainEtag, type S3Place } from "./place.ts";

/** Most keys per delete request. */
const BATCH = 1000;
const BATCHES_AT_ONCE = 4;

export async function* listObjects(place: S3Place, prefix: string): AsyncIterable<ObjectInfo> {
  assertPrefix(prefix);
  for await (const page of pages(place, prefix)) {
    for (const { Key = "", Size = 0, ETag, LastModified } of page.Contents ?? []) {
      const key = Key.slice(place.prefix.length);
      if (key === "" || key.endsWith("/")) continue; // a marker by which a console shows an empty folder
      yield { key, size: Size, etag: plainEtag(ETag), modified: LastModified ?? new Date(0) };
    }
  }
}

export async function listFolders(place: S3Place, prefix: string): Promise<string[]> {
  assertPrefix(prefix);
  const start = place.prefix.length + prefix.length;
  const names: string[] = [];
  for await (const page of pages(place, prefix, "/")) {
    for (const { Prefix = "" } of page.CommonPrefixes ?? []) names.push(Prefix.slice(start, -1));
  }
  return names.filter((name) => name !== "").sort();
}

async function* pages(
  place: S3Place,
  prefix: string,
  delimiter?: string,
): AsyncGenerator<ListObjectsV2CommandOutput, void> {
  const input = {
    Bucket: place.bucket,
    Prefix: place.prefix + prefix,
    ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
  };
  let token: string | undefined;
  do {
    const next = token === undefined ? {} : { ContinuationToken: token };
    const page = await place.call(place.action("list", "s3:ListBucket", prefix), async ({ sdk, client }) => {
      const answer = await client.send(new sdk.ListObjectsV2Command({ ...input, ...next }));
      checkCount(answer);
      return answer;
    });
    yield page;
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

/** A truncated page may still parse: compares it with its own count. */
function checkCount({ KeyCount, Contents, CommonPrefixes }: ListObjectsV2CommandOutput): void {
  const found = (Contents?.length ?? 0) + (CommonPrefixes?.length ?? 0);
  if (KeyCount !== undefined && KeyCount > found) throw new CorruptBody(`${found} of ${KeyCount} keys arrived`);
}

export async function deleteObjects(place: S3Place, keys: readonly string[]): Promise<void> {
  const all = [...new Set(keys)].map((key) => ({ key, Key: place.objectKey(key) }));
  const batches = Array.from({ length: Math.ceil(all.length / BATCH) }, (_, i) =>
    all.slice(i * BATCH, (i + 1) * BATCH),
  );
  await pMap(batches, (batch) => deleteBatch(place, batch), { concurrency: BATCHES_AT_ONCE });
}

/** Deletes a batch, which may fail in part: failed keys are retried. */
async function deleteBatch(place: S3Place, batch: readonly { key: string; Key: string }[]): Promise<void> {
  let left = batch;
  await place.call(place.action("delete", "s3:DeleteObject", batch[0]!.key), async ({ sdk, client }) => {
    const Delete = { Objects: left.map(({ Key }) => ({ Key })), Quiet: true };
    const { Errors = [] } = await client.send(new sdk.DeleteObjectsCommand({ Bucket: place.bucket, Delete }));
    const failed = new Map(Errors.filter(({ Code }) => Code !== "NoSuchKey").map((error) => [error.Key, error]));
    if (failed.size === 0) return;
    left = left.filter(({ Key }) => failed.has(Key));
    const [first] = failed.values();
    throw deletionError(first?.Code ?? "InternalError", `${first?.Key}: ${first?.Message ?? ""}`);
  });
}

/** An error as the SDK would throw for a single request. */
function deletionError(code: string, message: string): Error {
  const httpStatusCode = code === "AccessDenied" ? 403 : code === "SlowDown" ? 503 : 500;
  return Object.assign(new Error(message), { name: code, $fault: "server", $metadata: { httpStatusCode } });
}

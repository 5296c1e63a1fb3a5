import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, rm, stat } from "node:fs/promises";
import { fail } from "../local/errors.ts";
import type { PutCondition, PutResult } from "../storage.ts";
import { putInParts } from "./multipart.ts";
import { plainEtag, type S3Place } from "./place.ts";
import { type Content, conditionHeaders, isRefused, type S3Write, type S3Writes } from "./writes.ts";

/** How often a write is repeated because its key was deleted while its outcome was checked. */
const ROUNDS = 5;

export async function putBytes(
  place: S3Place,
  writes: S3Writes,
  key: string,
  body: Uint8Array | string,
  condition: PutCondition = {},
): Promise<PutResult> {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body);
  const content: Content = {
    size: bytes.byteLength,
    sha256: async () => createHash("sha256").update(bytes).digest("hex"),
    read: async (start, end) => bytes.subarray(start, end),
  };
  return putContent(place, writes, key, content, condition);
}

export async function putFile(
  place: S3Place,
  writes: S3Writes,
  key: string,
  path: string,
  { move, ...condition }: PutCondition & { move?: boolean },
): Promise<PutResult> {
  place.objectKey(key);
  const { size } = await stat(path).catch((error) => fail(error, "copy", path));
  const result =
    size < place.limits.multipartSize
      ? await putBytes(place, writes, key, await readFile(path).catch((error) => fail(error, "copy", path)), condition)
      : await putLargeFile(place, writes, key, path, size, condition);
  if (move && result.written) await rm(path, { force: true });
  return result;
}

async function putLargeFile(
  place: S3Place,
  writes: S3Writes,
  key: string,
  path: string,
  size: number,
  condition: PutCondition,
): Promise<PutResult> {
  const file = await open(path, "r").catch((error) => fail(error, "copy", path));
  const read = async (start: number, end: number) => {
    const part = Buffer.allocUnsafe(end - start);
    const { bytesRead } = await file.read(part, 0, part.length, start);
    if (bytesRead !== part.length) throw new Error("it was truncated while it was being stored");
    return part;
  };
  try {
    const content: Content = {
      size,
      sha256: () => sha256Of(path),
      read: (start, end) => read(start, end).catch((error) => fail(error, "copy", path)),
    };
    return await putContent(place, writes, key, content, condition);
  } finally {
    await file.close();
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  } catch (error) {
    fail(error, "copy", path);
  }
  return hash.digest("hex");
}

async function putContent(
  place: S3Place,
  writes: S3Writes,
  key: string,
  content: Content,
  condition: PutCondition,
): Promise<PutResult> {
  place.objectKey(key);
  const large = content.size >= place.limits.multipartSize;
  const sha256 = await content.sha256();
  for (let round = 1; round < ROUNDS; round++) {
    if (large && condition.ifAbsent && (await writes.head(key, "write"))) return { written: false };
    const write = await writes.begin(key, sha256, condition);
    if (!write) return { written: false };
    const result = await (large ? putInParts : putAtOnce)(place, writes, write, content);
    if (!result) continue;
    if (result.written) writes.note(key, result.etag, write.metadata);
    return result;
  }
  return { written: false };
}

type Answer = { written: true; etag: string } | { written: false; attempt: number };

/** @returns undefined when it must be repeated */
async function putAtOnce(
  place: S3Place,
  writes: S3Writes,
  write: S3Write,
  content: Content,
): Promise<PutResult | undefined> {
  const { key, condition, metadata } = write;
  const Body = await content.read(0, content.size);
  const input = { Bucket: place.bucket, Key: place.objectKey(key), Body, ContentLength: content.size };
  const answer = await place.call(
    place.action("write", "s3:PutObject", key),
    async (connection, attempt): Promise<Answer> => {
      const { sdk, client } = connection;
      try {
        const command = new sdk.PutObjectCommand({ ...input, Metadata: metadata, ...conditionHeaders(condition) });
        return { written: true, etag: plainEtag((await client.send(command)).ETag) };
      } catch (error) {
        if (isRefused(error, condition)) return { written: false, attempt };
        throw error;
      }
    },
  );
  if (answer.written) return answer;
  if (answer.attempt === 1) return { written: false };
  const outcome = await writes.outcome(write, content.size);
  return outcome ?? (condition.ifAbsent ? undefined : { written: false });
}

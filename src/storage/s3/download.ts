import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { ownedName } from "../../temporary.ts";
import { fail } from "../local/errors.ts";
import type { StoredObject } from "../storage.ts";
import { CorruptBody, isConditionFailed, statusOf } from "./errors.ts";
import { plainEtag, quotedEtag, type S3Place } from "./place.ts";
import { type S3Writes, sha256In } from "./writes.ts";

/** The destination of a body. */
interface Sink {
  write(chunk: Uint8Array): Promise<void> | void;
  /** Discards what was written. */
  restart(): Promise<void> | void;
}

export async function getObject(place: S3Place, writes: S3Writes, key: string): Promise<StoredObject> {
  let chunks: Uint8Array[] = [];
  const sink: Sink = {
    write: (chunk) => void chunks.push(chunk),
    restart: () => {
      chunks = [];
    },
  };
  const etag = await download(place, writes, key, sink);
  return { body: joined(chunks), etag };
}

/** @param end one past the last byte; limited to the object's size */
export async function getRange(place: S3Place, key: string, start: number, end: number): Promise<Uint8Array> {
  const input = {
    Bucket: place.bucket,
    Key: place.objectKey(key),
    Range: `bytes=${start}-${Math.max(start, end - 1)}`,
  };
  return place.call(place.action("read", "s3:GetObject", key), async ({ sdk, client }) => {
    try {
      const answer = await client.send(new sdk.GetObjectCommand(input));
      const chunks: Uint8Array[] = [];
      for await (const chunk of bodyOf(answer)) chunks.push(chunk);
      const body = joined(chunks);
      checkLength(answer, body.byteLength);
      const isWhole = statusOf(answer) === 200; // the server ignores ranges
      return body.slice(isWhole ? start : 0, isWhole ? end : Math.max(0, end - start));
    } catch (error) {
      if (statusOf(error) === 416) return new Uint8Array(0);
      throw error;
    }
  });
}

/** Downloads to a temporary file next to its target, so that the target appears complete. */
export async function getFile(place: S3Place, writes: S3Writes, key: string, path: string): Promise<void> {
  place.objectKey(key);
  const temp = `${path}.${ownedName()}.part`;
  const failed = (error: unknown) => fail(error, "write", path);
  try {
    await mkdir(dirname(path), { recursive: true }).catch(failed);
    const file = await open(temp, "wx").catch(failed);
    try {
      await download(place, writes, key, fileSink(file, failed));
    } finally {
      await file.close();
    }
    await rename(temp, path).catch(failed);
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
}

function fileSink(file: FileHandle, failed: (error: unknown) => never): Sink {
  let position = 0;
  return {
    write: async (chunk) => {
      for (let at = 0; at < chunk.byteLength; ) {
        const { bytesWritten } = await file.write(chunk, at, chunk.byteLength - at, position).catch(failed);
        at += bytesWritten;
        position += bytesWritten;
      }
    },
    restart: async () => {
      if (position > 0) await file.truncate(0).catch(failed);
      position = 0;
    },
  };
}

/** The progress of a download; a further attempt continues from there while the object is the same. */
interface Progress {
  etag: string;
  size: number;
  received: number;
  hash: Hash;
}

/** @returns the etag of the content written to the sink, complete and verified */
async function download(place: S3Place, writes: S3Writes, key: string, sink: Sink): Promise<string> {
  const input = { Bucket: place.bucket, Key: place.objectKey(key) };
  let progress: Progress | undefined;
  const restart = async () => {
    progress = undefined;
    await sink.restart();
  };

  return place.call(place.action("read", "s3:GetObject", key), async ({ sdk, client }) => {
    const rest = progress && { Range: `bytes=${progress.received}-`, IfMatch: quotedEtag(progress.etag) };
    let answer: GetObjectCommandOutput;
    try {
      answer = await client.send(new sdk.GetObjectCommand({ ...input, ...rest }));
    } catch (error) {
      if (progress && (isConditionFailed(error) || statusOf(error) === 416)) {
        const { etag } = progress;
        await restart();
        throw new CorruptBody("the object was replaced while it was read", etag);
      }
      throw error;
    }
    if (progress && statusOf(answer) !== 206) await restart();
    const etag = plainEtag(answer.ETag);
    progress ??= { etag, size: answer.ContentLength ?? 0, received: 0, hash: createHash("sha256") };
    for await (const chunk of bodyOf(answer)) {
      await sink.write(chunk);
      progress.hash.update(chunk);
      progress.received += chunk.byteLength;
    }
    const flaw = flawOf(progress, sha256In(answer.Metadata));
    if (flaw) {
      await restart();
      throw new CorruptBody(flaw, etag);
    }
    writes.note(key, etag, answer.Metadata);
    return etag;
  });
}

function flawOf({ received, size, hash }: Progress, sha256: string | undefined): string | undefined {
  if (received !== size) return `${received} of ${size} bytes arrived`;
  if (sha256 !== undefined && hash.digest("hex") !== sha256) return "its bytes are not those that were stored";
  return undefined;
}

function bodyOf(answer: GetObjectCommandOutput): AsyncIterable<Uint8Array> {
  return answer.Body as AsyncIterable<Uint8Array>;
}

/** Checks the length by the range that the server declares: a proxy may have cut the answer's own length. */
function checkLength({ ContentLength, ContentRange }: GetObjectCommandOutput, received: number): void {
  const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(ContentRange ?? "") ?? [];
  const expected = first === undefined ? ContentLength : Number(last) - Number(first) + 1;
  if (expected !== undefined && expected !== received) {
    throw new CorruptBody(`${received} of ${expected} bytes arrived`);
  }
}

/** Copies into new memory: a socket's buffers are shared. */
function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const body = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}

import { pMapSettled, pMapSkip } from "p-map";
import type { PutResult } from "../storage.ts";
import { isNoUpload } from "./errors.ts";
import { plainEtag, type S3Place } from "./place.ts";
import { type Content, conditionHeaders, isRefused, type S3Write, type S3Writes } from "./writes.ts";

const MAX_PARTS = 10_000;

/** An upload in progress. */
export interface Upload {
  key: string;
  id: string;
}

export interface Part {
  PartNumber: number;
  ETag: string;
}

/**
 * Stores a large object in parts. The condition is checked by the last request, which makes the object appear.
 * @returns undefined when it must be repeated
 */
export async function putInParts(
  place: S3Place,
  writes: S3Writes,
  write: S3Write,
  content: Content,
): Promise<PutResult | undefined> {
  const upload = await beginUpload(place, write.key, write.metadata);
  let done = false;
  try {
    const parts = await inParts(place, content.size, place.limits.partSize, (range, signal) =>
      putPart(place, upload, range, content, signal),
    );
    const result = await complete(place, writes, write, upload, parts, content.size);
    done = result?.written === true;
    return result;
  } finally {
    if (!done) await abort(place, upload);
  }
}

export async function beginUpload(place: S3Place, key: string, metadata: Record<string, string>): Promise<Upload> {
  const target = { Bucket: place.bucket, Key: place.objectKey(key), Metadata: metadata };
  return place.call(place.action("write", "s3:PutObject", key), async ({ sdk, client }) => {
    const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(target));
    return { key, id: UploadId! };
  });
}

export interface PartRange {
  number: number;
  start: number;
  /** One past the last byte. */
  end: number;
}

/** Processes all parts concurrently; after the first failure no further part is started and the others are aborted. */
export async function inParts(
  place: S3Place,
  size: number,
  wantedSize: number,
  put: (range: PartRange, signal: AbortSignal) => Promise<Part>,
): Promise<Part[]> {
  const partSize = Math.max(wantedSize, Math.ceil(size / MAX_PARTS));
  const count = Math.ceil(size / partSize);
  const ranges = Array.from({ length: count }, (_, at) => {
    return { number: at + 1, start: at * partSize, end: Math.min(size, (at + 1) * partSize) };
  });
  const stop = new AbortController();
  const work = async (range: PartRange) => {
    if (stop.signal.aborted) return pMapSkip;
    try {
      return await put(range, stop.signal);
    } catch (error) {
      stop.abort();
      throw error;
    }
  };
  // settled, as p-map otherwise leaves those that are under way behind at the first failure
  const ended = await pMapSettled(ranges, work, { concurrency: place.limits.partsAtOnce });
  const reasons = ended.flatMap((part) => (part.status === "rejected" ? [part.reason] : []));
  if (reasons.length > 0) throw reasons.find((reason) => !isStop(reason)) ?? reasons[0];
  return ended.flatMap((part) => (part.status === "fulfilled" ? [part.value] : []));
}

/** The error of a part that was aborted because another had failed. */
function isStop(error: unknown): boolean {
  return ((error as Error).cause as Error | undefined)?.name === "AbortError";
}

async function putPart(
  place: S3Place,
  upload: Upload,
  { number, start, end }: PartRange,
  content: Content,
  abortSignal: AbortSignal,
): Promise<Part> {
  const Body = await content.read(start, end);
  const input = { ...targetOf(place, upload), PartNumber: number, Body, ContentLength: end - start };
  return place.call(place.action("write", "s3:PutObject", upload.key), async ({ sdk, client }) => {
    const { ETag } = await client.send(new sdk.UploadPartCommand(input), { abortSignal });
    return { PartNumber: number, ETag: ETag! };
  });
}

type Completed = { written: true; etag: string } | { written: false; attempt: number; gone: boolean };

async function complete(
  place: S3Place,
  writes: S3Writes,
  write: S3Write,
  upload: Upload,
  Parts: Part[],
  size: number,
): Promise<PutResult | undefined> {
  const input = { ...targetOf(place, upload), MultipartUpload: { Parts }, ...conditionHeaders(write.condition) };
  const action = place.action("write", "s3:PutObject", write.key);
  const answer = await place.call(action, async ({ sdk, client }, attempt): Promise<Completed> => {
    try {
      const { ETag } = await client.send(new sdk.CompleteMultipartUploadCommand(input));
      return { written: true, etag: plainEtag(ETag) };
    } catch (error) {
      const gone = isNoUpload(error);
      if (gone || isRefused(error, write.condition)) return { written: false, attempt, gone };
      throw error;
    }
  });
  if (answer.written) return answer;
  if (answer.attempt === 1) return answer.gone ? undefined : { written: false };
  const outcome = await writes.outcome(write, size);
  if (outcome?.written || !answer.gone) return outcome;
  return undefined; // neither the upload nor its object exists any more
}

export async function completeCopy(place: S3Place, upload: Upload, Parts: Part[]): Promise<void> {
  const input = { ...targetOf(place, upload), MultipartUpload: { Parts } };
  await place.call(place.action("write", "s3:PutObject", upload.key), async ({ sdk, client }, attempt) => {
    try {
      await client.send(new sdk.CompleteMultipartUploadCommand(input));
    } catch (error) {
      if (attempt === 1 || !isNoUpload(error)) throw error; // after a lost answer, a missing upload means that it was completed
    }
  });
}

/** Deletes the parts. Never throws: the error before it is the one to report. */
export async function abort(place: S3Place, upload: Upload): Promise<void> {
  const action = place.action("write", "s3:AbortMultipartUpload", upload.key);
  const aborting = place.call(action, async ({ sdk, client }) => {
    await client.send(new sdk.AbortMultipartUploadCommand(targetOf(place, upload)));
  });
  await aborting.catch(() => undefined);
}

export function targetOf(place: S3Place, upload: Upload): { Bucket: string; Key: string; UploadId: string } {
  return { Bucket: place.bucket, Key: place.objectKey(upload.key), UploadId: upload.id };
}

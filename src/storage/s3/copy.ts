import { ScytheError } from "../../errors.ts";
import { abort, beginUpload, completeCopy, inParts, type PartRange, targetOf, type Upload } from "./multipart.ts";
import { quotedEtag, type S3Place } from "./place.ts";
import type { S3Head, S3Writes } from "./writes.ts";

/** Copies within the bucket, on the server. */
export async function copyObject(place: S3Place, writes: S3Writes, from: string, to: string): Promise<void> {
  place.objectKey(to);
  const source = await writes.head(from);
  if (!source) {
    throw new ScytheError("not_found", `No object ${place.action("read", "", from).uri}`, { details: { key: from } });
  }
  if (from === to) return;
  if (source.size > place.limits.copyPartSize) return copyInParts(place, source, to);
  const input = { Bucket: place.bucket, Key: place.objectKey(to), CopySource: sourceOf(place, from) };
  await place.call(place.action("write", "s3:PutObject", to), async ({ sdk, client }) => {
    await client.send(new sdk.CopyObjectCommand(input));
  });
}

async function copyInParts(place: S3Place, source: S3Head, to: string): Promise<void> {
  const upload = await beginUpload(place, to, source.metadata);
  try {
    const parts = await inParts(place, source.size, place.limits.copyPartSize, (range, signal) =>
      copyPart(place, upload, source, range, signal),
    );
    await completeCopy(place, upload, parts);
  } catch (error) {
    await abort(place, upload);
    throw error;
  }
}

async function copyPart(
  place: S3Place,
  upload: Upload,
  source: S3Head,
  { number, start, end }: PartRange,
  abortSignal: AbortSignal,
) {
  const input = {
    ...targetOf(place, upload),
    PartNumber: number,
    CopySource: sourceOf(place, source.key),
    CopySourceRange: `bytes=${start}-${end - 1}`,
    CopySourceIfMatch: quotedEtag(source.etag),
  };
  return place.call(place.action("write", "s3:PutObject", upload.key), async ({ sdk, client }) => {
    const { CopyPartResult } = await client.send(new sdk.UploadPartCopyCommand(input), { abortSignal });
    return { PartNumber: number, ETag: CopyPartResult!.ETag! };
  });
}

function sourceOf(place: S3Place, key: string): string {
  return [place.bucket, ...place.objectKey(key).split("/")].map(encodeURIComponent).join("/");
}

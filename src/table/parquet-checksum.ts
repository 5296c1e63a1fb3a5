import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";

/**
 * A checksum inside a Parquet file, in its key-value metadata, of all its other bytes. Any reader can check that the
 * file is unchanged, wherever it was copied to and whatever it is called.
 */

/** Stored names: earlier versions called the checksum a seal. */
export const CHECKSUM_KEY = "scythe_seal";
const MARK = "scythe-seal:";
const DIGITS = 16;
/** Written where the checksum will be. */
export const CHECKSUM_PLACEHOLDER = MARK + "0".repeat(DIGITS);

const ZEROS = Buffer.alloc(DIGITS, "0");
const TAIL = 8;
const CHUNK = 1 << 20;

/** Adds the checksum to a file in memory that was made with {@link CHECKSUM_PLACEHOLDER} under {@link CHECKSUM_KEY}. */
export function addBytesChecksum(bytes: Uint8Array): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = buffer.length - TAIL - buffer.readUInt32LE(buffer.length - TAIL);
  const at = placeIn(buffer.subarray(start, -TAIL));
  if (at === undefined) throw new Error("the file has no placeholder for a checksum");
  buffer.write(createHash("sha256").update(buffer).digest("hex").slice(0, DIGITS), start + at);
}

/** {@link addBytesChecksum} for a file on disk. */
export async function addFileChecksum(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    const at = await findChecksum(file);
    if (at === undefined) throw new Error(`${path} has no placeholder for a checksum`);
    await file.write(await checksum(file, at), at);
  } finally {
    await file.close();
  }
}

/** False for a file that is truncated, changed in any bit, or without a checksum. */
export async function hasValidChecksum(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const at = await findChecksum(file);
    if (at === undefined) return false;
    const { buffer } = await file.read(Buffer.alloc(DIGITS), 0, DIGITS, at);
    return buffer.toString("latin1") === (await checksum(file, at));
  } finally {
    await file.close();
  }
}

/** The offset of the checksum's digits in the file; undefined when there are none. */
async function findChecksum(file: FileHandle): Promise<number | undefined> {
  const { size } = await file.stat();
  if (size < TAIL) return undefined;
  const tail = (await file.read(Buffer.alloc(TAIL), 0, TAIL, size - TAIL)).buffer;
  const length = tail.readUInt32LE(0);
  const start = size - TAIL - length;
  if (start < 0 || tail.toString("latin1", 4) !== "PAR1") return undefined;
  const at = placeIn((await file.read(Buffer.alloc(length), 0, length, start)).buffer);
  return at === undefined ? undefined : start + at;
}

/** The metadata follows the column statistics, which may contain any user text: the last mark is ours. */
function placeIn(footer: Buffer): number | undefined {
  const at = footer.lastIndexOf(MARK);
  return at < 0 || at + CHECKSUM_PLACEHOLDER.length > footer.length ? undefined : at + MARK.length;
}

/** The checksum of the file with zeros in place of the checksum. */
async function checksum(file: FileHandle, checksumAt: number): Promise<string> {
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(CHUNK);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK, position);
    if (bytesRead === 0) return hash.digest("hex").slice(0, DIGITS);
    const from = Math.max(0, checksumAt - position);
    const to = Math.min(bytesRead, checksumAt + DIGITS - position);
    if (from < to) ZEROS.copy(chunk, from, 0, to - from);
    hash.update(chunk.subarray(0, bytesRead));
    position += bytesRead;
  }
}

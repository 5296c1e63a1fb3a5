import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";

/**
 * A checksum inside a Parquet file, in its key-value metadata, of all of its other bytes: whoever opens the file can tell
 * that it is as it was written, wherever it was copied to and whatever it is called.
 */

export const SEAL_KEY = "scythe_seal";
const MARK = "scythe-seal:";
const DIGITS = 16;
/** What is written where the checksum will be. */
export const UNSEALED = MARK + "0".repeat(DIGITS);

const ZEROS = Buffer.alloc(DIGITS, "0");
const TAIL = 8;
const CHUNK = 1 << 20;

/** Puts the checksum into a file that is still in memory, made with {@link UNSEALED} under {@link SEAL_KEY}. */
export function sealBytes(bytes: Uint8Array): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = buffer.length - TAIL - buffer.readUInt32LE(buffer.length - TAIL);
  const at = sealIn(buffer.subarray(start, -TAIL));
  if (at === undefined) throw new Error("a file that is to be sealed has no place for it");
  buffer.write(createHash("sha256").update(buffer).digest("hex").slice(0, DIGITS), start + at);
}

/** {@link sealBytes} for a file on disk. */
export async function sealFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    const at = await findSeal(file);
    if (at === undefined) throw new Error(`${path} has no place for a seal`);
    await file.write(await checksum(file, at), at);
  } finally {
    await file.close();
  }
}

/** False for a file that is cut short, was changed in any bit, or has no seal. */
export async function isSealed(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const at = await findSeal(file);
    if (at === undefined) return false;
    const { buffer } = await file.read(Buffer.alloc(DIGITS), 0, DIGITS, at);
    return buffer.toString("latin1") === (await checksum(file, at));
  } finally {
    await file.close();
  }
}

/** Where in the file the digits of the seal are; undefined when there are none. */
async function findSeal(file: FileHandle): Promise<number | undefined> {
  const { size } = await file.stat();
  if (size < TAIL) return undefined;
  const tail = (await file.read(Buffer.alloc(TAIL), 0, TAIL, size - TAIL)).buffer;
  const length = tail.readUInt32LE(0);
  const start = size - TAIL - length;
  if (start < 0 || tail.toString("latin1", 4) !== "PAR1") return undefined;
  const at = sealIn((await file.read(Buffer.alloc(length), 0, length, start)).buffer);
  return at === undefined ? undefined : start + at;
}

/** The metadata follows the columns' statistics, in which a user's text may hold anything: the last mark is ours. */
function sealIn(footer: Buffer): number | undefined {
  const at = footer.lastIndexOf(MARK);
  return at < 0 || at + UNSEALED.length > footer.length ? undefined : at + MARK.length;
}

/** Of the file as it was before it was sealed. */
async function checksum(file: FileHandle, sealAt: number): Promise<string> {
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(CHUNK);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK, position);
    if (bytesRead === 0) return hash.digest("hex").slice(0, DIGITS);
    const from = Math.max(0, sealAt - position);
    const to = Math.min(bytesRead, sealAt + DIGITS - position);
    if (from < to) ZEROS.copy(chunk, from, 0, to - from);
    hash.update(chunk.subarray(0, bytesRead));
    position += bytesRead;
  }
}

import { isUtf8 } from "node:buffer";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { isScytheError, messageOf, ScytheError } from "../errors.ts";

/**
 * The text of a file as UTF-8, in pieces of whole characters, without a byte order mark. gzip is decompressed, and
 * UTF-16 with a byte order mark is converted; nothing else is guessed or replaced.
 * @throws ScytheError `invalid_input` naming the byte and line that is not UTF-8
 */
export async function* utf8Pieces(bytes: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  const [first, rest] = await withFirst(bytes, name);
  assertText(first, name);
  if (first.length >= 2 && first[0] === 0x1f && first[1] === 0x8b) {
    yield* utf8Pieces(unpacked(rest, name), name);
  } else if (first.length >= 2 && first[0] === 0xff && first[1] === 0xfe) {
    yield* fromUtf16(rest, "utf-16le", name);
  } else if (first.length >= 2 && first[0] === 0xfe && first[1] === 0xff) {
    yield* fromUtf16(rest, "utf-16be", name);
  } else {
    yield* checked(rest, name);
  }
}

const OTHER_FILES: readonly [string, string][] = [
  ["PK\u0003\u0004", "a spreadsheet or a zip archive; save its table as CSV UTF-8"],
  ["PAR1", "Parquet; give it as a file whose name ends in .parquet"],
  ["(\u00b5/\u00fd", "compressed by zstd; unpack it, or use gzip"],
  ["BZh", "compressed by bzip2; unpack it, or use gzip"],
  ["ARROW1", "an Arrow file; write it as Parquet"],
];

/** Detects other file types: otherwise they would be refused for their first invalid byte, which explains little. */
function assertText(first: Buffer, name: string): void {
  const start = first.toString("latin1", 0, 8);
  const other = OTHER_FILES.find(([mark]) => start.startsWith(mark));
  if (other) throw new ScytheError("invalid_input", `${name}: not text, but ${other[1]}`);
  if (first.length >= 4 && (first[0] === 0 || first[1] === 0)) {
    throw new ScytheError("invalid_input", `${name}: UTF-16 without a byte order mark, or not text`, { hint: HINT });
  }
}

/** The first bytes, enough to detect the type; and the whole stream, including them. */
async function withFirst(bytes: AsyncIterable<Buffer>, name: string): Promise<[Buffer, AsyncIterable<Buffer>]> {
  const all = readable(bytes, name)[Symbol.asyncIterator]();
  let first: Buffer = Buffer.alloc(0);
  for (let next = await all.next(); !next.done; next = await all.next()) {
    first = Buffer.concat([first, next.value]);
    if (first.length >= 8) break;
  }
  async function* rest(): AsyncGenerator<Buffer> {
    try {
      yield first;
      for (let next = await all.next(); !next.done; next = await all.next()) yield next.value;
    } finally {
      await all.return?.(undefined);
    }
  }
  return [first, rest()];
}

/** Gives errors of a disk or pipe the file's name. */
async function* readable(bytes: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } catch (error) {
    if (isScytheError(error)) throw error;
    const aborted = (error as Error).name === "AbortError";
    throw new ScytheError(aborted ? "cancelled" : "invalid_input", `${name}: cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function* unpacked(bytes: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  pipeline(bytes, gunzip, () => undefined); // errors are thrown by the stream itself
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } catch (error) {
    if (isScytheError(error)) throw error;
    throw new ScytheError("invalid_input", `${name}: cut short or damaged gzip: ${messageOf(error)}`, { cause: error });
  }
}

async function* fromUtf16(bytes: AsyncIterable<Buffer>, encoding: string, name: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (piece?: Buffer) => {
    try {
      return Buffer.from(decoder.decode(piece, { stream: piece !== undefined }));
    } catch (cause) {
      throw new ScytheError("invalid_input", `${name}: begins as UTF-16, but is not well-formed`, {
        cause,
        hint: HINT,
      });
    }
  };
  for await (const piece of bytes) yield decode(piece);
  yield decode();
}

const HINT =
  "Save it as UTF-8. If it was written in another encoding: iconv -f WINDOWS-1252 -t UTF-8 specs.csv > specs-utf8.csv (pandas reads it with encoding=…, and writes UTF-8).";

/** Passes bytes on after checking that they are UTF-8; a character cut by the end of a piece waits for the next. */
async function* checked(bytes: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  let waiting: Buffer = Buffer.alloc(0);
  let offset = 0;
  let line = 1;
  let first = true;
  for await (const piece of bytes) {
    const all = waiting.length > 0 ? Buffer.concat([waiting, piece]) : piece;
    const whole = all.subarray(0, all.length - unfinished(all));
    if (!isUtf8(whole)) throw notUtf8(whole, name, offset, line);
    waiting = all.subarray(whole.length);
    if (whole.length === 0) continue;
    const marked = first && whole.length >= 3 && whole[0] === 0xef && whole[1] === 0xbb && whole[2] === 0xbf;
    first = false;
    yield marked ? whole.subarray(3) : whole;
    line += newlines(whole);
    offset += whole.length;
  }
  if (waiting.length > 0) throw notUtf8(waiting, name, offset, line);
}

/** Number of bytes at the end that start an incomplete character. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

function newlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}

function notUtf8(bytes: Buffer, name: string, offset: number, line: number): ScytheError {
  const at = firstInvalid(bytes);
  const value = bytes[at]!.toString(16).toUpperCase().padStart(2, "0");
  const where = `line ${line + newlines(bytes.subarray(0, at))}`;
  const problem = `${name}: byte ${offset + at} (0x${value}, ${where}) is not UTF-8`;
  return new ScytheError("invalid_input", problem, { hint: HINT, details: { byte: offset + at } });
}

/** Binary search for the longest valid UTF-8 prefix, except for a character cut at its end. */
function firstInvalid(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (good < bad) {
    const middle = (good + bad + 1) >> 1;
    const part = bytes.subarray(0, middle);
    if (isUtf8(part.subarray(0, part.length - unfinished(part)))) good = middle;
    else bad = middle - 1;
  }
  return good - unfinished(bytes.subarray(0, good));
}

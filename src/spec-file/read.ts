import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import type { Readable } from "node:stream";
import { ScytheError } from "../errors.ts";
import type { Column } from "../schema/columns.ts";
import { readCsv } from "./csv.ts";
import { readJson, readJsonLines } from "./json.ts";
import { readParquet } from "./parquet.ts";
import { type ReadOptions, SpecReader, type SpecRecord, type SpecText, type TextFormat } from "./source.ts";
import { utf8Pieces } from "./text.ts";

type TextReader = (text: SpecText, columns: readonly Column[]) => AsyncIterable<SpecRecord>;

const READERS: Record<TextFormat, TextReader> = { csv: readCsv, jsonl: readJsonLines, json: readJson };

const BY_EXTENSION: Record<string, TextFormat | "parquet"> = {
  ".csv": "csv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".json": "json",
  ".parquet": "parquet",
  ".pq": "parquet",
};

/**
 * Reads specs from a table file as a stream; text may be gzip-compressed. Values are as in the format;
 * `makeSpecValidator` interprets missing ones.
 * @throws ScytheError `invalid_input` naming the file and line that cannot be read
 */
export async function* readSpecFile(
  path: string,
  columns: readonly Column[],
  { signal, notice }: ReadOptions = {},
): AsyncGenerator<SpecRecord> {
  const format = BY_EXTENSION[extname(path.replace(/\.gz$/i, "")).toLowerCase()];
  if (!format) {
    throw new ScytheError("invalid_input", `${path}: cannot tell what kind of spec file this is`, {
      hint: "Give a .csv, .jsonl, .json (these also with .gz) or .parquet file; a spreadsheet saves its table as CSV UTF-8.",
    });
  }
  const info = await stat(path).catch((cause) => {
    throw new ScytheError("invalid_input", `No spec file ${path}`, { hint: "Check the path given to --specs.", cause });
  });
  if (!info.isFile()) {
    const hint = info.isDirectory() ? "Give a file in it." : "To read a pipe, use --specs - (stdin).";
    throw new ScytheError("invalid_input", `${path} is not a file`, { hint });
  }
  if (format === "parquet") yield* readParquet(path, columns);
  else {
    const stream = createReadStream(path, signal && { signal });
    const pieces = utf8Pieces(stream, path);
    yield* READERS[format]({ name: path, pieces, notice }, columns);
  }
}

/** The reader of the stream gets the error; before that, an unhandled error event would end the process. */
function ignoreEarlyError(): void {}

/** Specs from a stream, such as stdin, in a given format or one detected from its first character. */
export class SpecStream extends SpecReader {
  readonly #stream: Readable;
  readonly #name: string;
  readonly #format: TextFormat | undefined;

  constructor(stream: Readable, name: string, format: TextFormat | undefined) {
    super();
    this.#stream = stream.on("error", ignoreEarlyError);
    this.#name = name;
    this.#format = format;
  }

  async *read(columns: readonly Column[], { signal, notice }: ReadOptions = {}): AsyncGenerator<SpecRecord> {
    const stop = () => this.#stream.destroy();
    signal?.addEventListener("abort", stop);
    try {
      const all = utf8Pieces(this.#stream, this.#name);
      const { format, pieces } = await this.#sniffed(all);
      yield* READERS[format]({ name: this.#name, pieces, notice }, columns);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  async #sniffed(all: AsyncGenerator<Buffer>): Promise<{ format: TextFormat; pieces: AsyncIterable<Buffer> }> {
    if (this.#format) return { format: this.#format, pieces: all };
    const seen: Buffer[] = [];
    let start = "";
    for (let next = await all.next(); !next.done && start === ""; next = await all.next()) {
      seen.push(next.value);
      start = next.value.toString("utf8").trimStart();
      if (start !== "") break;
    }
    async function* pieces() {
      yield* seen;
      yield* all;
    }
    return { format: /^[[{]/.test(start) ? "json" : "csv", pieces: pieces() };
  }
}

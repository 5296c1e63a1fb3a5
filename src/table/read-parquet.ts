import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  type ParquetParsers,
  parquetMetadataAsync,
  parquetScan,
} from "hyparquet";
import { messageOf, ScytheError } from "../errors.ts";
import type { Column } from "../schema/columns.ts";
import { decoderOf } from "./physical.ts";

/** Limits a page to its declared length. */
const COMPRESSORS: Compressors = {
  GZIP: (bytes, length) => gunzipSync(bytes, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (bytes, length) => brotliDecompressSync(bytes, { maxOutputLength: Math.max(1, length) }),
};

/** Codecs that can be read; DuckDB reads others too. */
export const CODECS: readonly string[] = ["UNCOMPRESSED", "SNAPPY", ...Object.keys(COMPRESSORS)];

/** A local Parquet file, read by ranges of rows. */
export class ParquetReader {
  readonly path: string;
  readonly #fd: number;
  readonly #parsers: Partial<ParquetParsers>;
  readonly #file: AsyncBuffer;
  readonly metadata: FileMetaData;

  private constructor(
    path: string,
    fd: number,
    file: AsyncBuffer,
    metadata: FileMetaData,
    parsers: Partial<ParquetParsers>,
  ) {
    this.path = path;
    this.#fd = fd;
    this.#parsers = parsers;
    this.#file = file;
    this.metadata = metadata;
  }

  /** @throws ScytheError `invalid_input` when the file is not Parquet */
  static async open(path: string, parsers: Partial<ParquetParsers> = {}): Promise<ParquetReader> {
    let fd: number;
    try {
      fd = openSync(path, "r");
    } catch (error) {
      throw new ScytheError("not_found", `Could not open ${path}: ${messageOf(error)}`, { cause: error });
    }
    try {
      const file = fileBuffer(fd);
      return new ParquetReader(path, fd, file, await parquetMetadataAsync(file), parsers);
    } catch (error) {
      closeSync(fd);
      throw new ScytheError("invalid_input", `${path} is not a readable Parquet file: ${messageOf(error)}`, {
        hint: "The file may be cut short. If it belongs to a run, resume the run to rebuild it.",
        cause: error,
      });
    }
  }

  get rows(): number {
    return Number(this.metadata.num_rows);
  }

  /** Names of the top-level columns, in the file's order. */
  get columnNames(): string[] {
    const root = this.metadata.schema[0]!;
    const names: string[] = [];
    for (let at = 1; names.length < (root.num_children ?? 0); at = this.#next(at)) {
      names.push(this.metadata.schema[at]!.name);
    }
    return names;
  }

  /** Raw bytes of the file, fewer at its end. */
  bytes(from: number, to: number): ArrayBuffer {
    return this.#file.slice(from, Math.min(to, this.#file.byteLength)) as ArrayBuffer;
  }

  get byteLength(): number {
    return this.#file.byteLength;
  }

  /**
   * Columns of rows `from` … `to` − 1, one value per row.
   * @throws ScytheError `invalid_input` when a column has fewer rows than the file declares
   */
  async read(columns: readonly string[], from: number, to: number): Promise<Map<string, ArrayLike<unknown>>> {
    const scan = await parquetScan({
      file: this.#file,
      metadata: this.metadata,
      columns: [...columns],
      rowStart: from,
      rowEnd: to,
      compressors: COMPRESSORS,
      parsers: this.#parsers,
    });
    const result = new Map<string, ArrayLike<unknown>>();
    for (const column of columns) {
      const values = await scan.readColumn({ column, rowStart: from, rowEnd: to });
      if (values.length !== to - from) throw this.#short(column, values.length, from, to);
      result.set(column, values);
    }
    return result;
  }

  /** The range of each row group that overlaps rows `from` … `to` − 1, clipped to it. */
  *rowGroups(from = 0, to = this.rows): Generator<{ from: number; to: number }> {
    let start = 0;
    for (const group of this.metadata.row_groups) {
      const end = start + Number(group.num_rows);
      if (end > from && start < to) yield { from: Math.max(start, from), to: Math.min(end, to) };
      start = end;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #short(column: string, found: number, from: number, to: number): ScytheError {
    const problem = `${this.path}: column ${column} has ${found} of the ${to - from} rows from row ${from + 1} on that the file claims`;
    return new ScytheError("invalid_input", problem, { hint: "The file is damaged; write it again." });
  }

  /** The schema is a flattened tree: skips an element with all of its descendants. */
  #next(at: number): number {
    let next = at + 1;
    for (let i = 0; i < (this.metadata.schema[at]!.num_children ?? 0); i++) next = this.#next(next);
    return next;
  }
}

function fileBuffer(fd: number): AsyncBuffer {
  const byteLength = fstatSync(fd).size;
  return {
    byteLength,
    slice: (start, end = byteLength) => {
      const buffer = new ArrayBuffer(end - start);
      let done = 0;
      while (done < buffer.byteLength) {
        const read = readSync(fd, new Uint8Array(buffer, done), 0, buffer.byteLength - done, start + done);
        if (read === 0) throw new Error(`the file ends at byte ${start + done}, before byte ${end}`);
        done += read;
      }
      return buffer;
    },
  };
}

/**
 * Reads rows as objects, one row group at a time, with values as the schema produced them.
 * @param readings conversions applied first, by column name
 */
export async function* readRows(
  reader: ParquetReader,
  columns: readonly Column[],
  from = 0,
  to = reader.rows,
  readings: ReadonlyMap<string, (value: unknown) => unknown> = new Map(),
): AsyncGenerator<Record<string, unknown>> {
  const names = columns.map((column) => column.name);
  const decoders = columns.map(({ name, type }) => {
    const decode = decoderOf(type);
    const read = readings.get(name);
    return read ? (value: unknown) => decode(read(value)) : decode;
  });
  for (const group of reader.rowGroups(from, to)) {
    const data = await reader.read(names, group.from, group.to);
    const values = names.map((name) => data.get(name)!);
    for (let i = 0; i < group.to - group.from; i++) yield rowAt(names, decoders, columns, values, i);
  }
}

/** A missing value of an optional field is omitted; of any other nullable field it is null. */
export function rowAt(
  names: readonly string[],
  decoders: readonly ((value: unknown) => unknown)[],
  columns: readonly Column[],
  values: readonly ArrayLike<unknown>[],
  row: number,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (let c = 0; c < names.length; c++) {
    const value = values[c]![row];
    if (value !== null && value !== undefined) result[names[c]!] = decoders[c]!(value);
    else if (!columns[c]!.optional) result[names[c]!] = null;
  }
  return result;
}

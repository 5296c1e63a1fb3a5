import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { ByteWriter, type ColumnSource, ParquetWriter, parquetWrite, schemaFromColumnData } from "hyparquet-writer";
import { diskFull } from "../errors.ts";
import type { Column } from "../schema/columns.ts";
import { type Batch, BatchBuilder, type ColumnData } from "./batch.ts";
import { addBytesChecksum, CHECKSUM_KEY, CHECKSUM_PLACEHOLDER } from "./parquet-checksum.ts";

/** Rows per row group of intermediate files: DuckDB reads row groups in parallel. */
const ROW_GROUP = 122_880;
/** Most characters of text per row group: when casting, DuckDB holds several copies of one row group's rows. */
const ROW_GROUP_TEXT = 4 * 2 ** 20;

/**
 * A batch as one Parquet file in memory, with a checksum, in physical types.
 * @param writer its buffer is reused: the result is a view into it
 */
export function parquetBytes(
  batch: Batch,
  kvMetadata: Record<string, string> = {},
  writer = new ByteWriter(),
): Uint8Array {
  writer.index = 0;
  writer.offset = 0;
  parquetWrite({
    writer,
    columnData: batch.columns.map((column) => sourceOf(column)),
    statistics: false,
    rowGroupSize: rowGroups(batch),
    kvMetadata: Object.entries({ ...kvMetadata, [CHECKSUM_KEY]: CHECKSUM_PLACEHOLDER }).map(([key, value]) => ({
      key,
      value,
    })),
    createdBy: "scythe-ts",
  });
  const bytes = writer.getBytes();
  addBytesChecksum(bytes);
  return bytes;
}

/** The sizes of the row groups, limited by rows and by text, at least one row each. */
function rowGroups({ rows, columns }: Batch): number | number[] {
  const texts = columns.filter(({ physical }) => physical === "text").map(({ values }) => values as string[]);
  if (texts.length === 0) return ROW_GROUP;
  const groups: number[] = [];
  let [from, size] = [0, 0];
  for (let row = 0; row < rows; row++) {
    let own = 0;
    for (const values of texts) own += values[row]!.length;
    if (row > from && (size + own > ROW_GROUP_TEXT || row - from === ROW_GROUP)) {
      groups.push(row - from);
      [from, size] = [row, 0];
    }
    size += own;
  }
  return groups.length === 0 ? ROW_GROUP : [...groups, rows - from];
}

/** Writes a Parquet file batch by batch, one row group each, with one batch in memory. */
export class ParquetFile {
  readonly #fd: number;
  readonly #buffer = new ByteWriter();
  #closed = false;
  readonly #writer: ParquetWriter;
  readonly #nullable: readonly boolean[];

  constructor(path: string, columns: readonly Column[]) {
    this.#fd = openSync(path, "wx");
    this.#nullable = columns.map((column) => column.nullable);
    const empty = this.#sources(new BatchBuilder(columns).take());
    this.#writer = new ParquetWriter({
      writer: this.#buffer,
      schema: schemaFromColumnData({ columnData: empty }),
      statistics: false,
      createdBy: "scythe-ts",
    });
  }

  write(batch: Batch): void {
    this.#writer.write({ columnData: this.#sources(batch), rowGroupSize: ROW_GROUP });
    this.#flush();
  }

  finish(): void {
    this.#writer.finish();
    this.#flush();
    fsyncSync(this.#fd);
    this.close();
  }

  /** Closes the file; an unfinished one is not readable. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  /** All row groups of a file share one schema, so nullability comes from the columns, not from a batch. */
  #sources(batch: Batch): ColumnSource[] {
    return batch.columns.map((column, i) => sourceOf(column, this.#nullable[i]!));
  }

  /** `offset` counts all bytes ever written, `index` those still in the buffer. */
  #flush(): void {
    try {
      writeSync(this.#fd, new Uint8Array(this.#buffer.buffer, 0, this.#buffer.index));
    } catch (error) {
      throw diskFull(error, "Could not write to scratch") ?? error;
    }
    this.#buffer.index = 0;
  }
}

const TYPES = { double: "DOUBLE", boolean: "BOOLEAN", int64: "INT64", text: "STRING" } as const;

/** A column without nulls is written as required, which skips its definition levels. */
function sourceOf(column: ColumnData, nullable = column.nulls !== undefined): ColumnSource {
  const { name, physical, values, nulls } = column;
  const data = nulls ? Array.from(values as string[], (value, i) => (nulls[i] ? null : value)) : values;
  const source: ColumnSource = { name, data, type: TYPES[physical], nullable };
  if (physical === "double" || physical === "int64") {
    source.encoding = "PLAIN";
    source.codec = "UNCOMPRESSED"; // numbers hardly compress, and these files are merged soon
  }
  return source;
}

import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { ByteWriter, type ColumnSource, ParquetWriter, parquetWrite, schemaFromColumnData } from "hyparquet-writer";
import { diskFull } from "../errors.ts";
import type { Column } from "../schema/columns.ts";
import { type Batch, BatchBuilder, type ColumnData } from "./batch.ts";
import { SEAL_KEY, sealBytes, UNSEALED } from "./parquet-seal.ts";

/** Rows of a row group in files inside a run: DuckDB reads row groups in parallel. */
const ROW_GROUP = 122_880;
/** Characters of text of a row group: DuckDB holds the rows that it casts at once, many times over, but of one row group. */
const ROW_GROUP_TEXT = 4 * 2 ** 20;

/**
 * A batch as one sealed Parquet file in memory, in physical types.
 * @param writer whose buffer to use again: the result is a view into it
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
    kvMetadata: Object.entries({ ...kvMetadata, [SEAL_KEY]: UNSEALED }).map(([key, value]) => ({ key, value })),
    createdBy: "scythe-ts",
  });
  const bytes = writer.getBytes();
  sealBytes(bytes);
  return bytes;
}

/** Rows of each row group: as many as one may have, or as their text allows, but one at least. */
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

/** Writes a Parquet file batch by batch, each a row group, without holding more than one of them. */
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

  /** Lets go of the file; unfinished, it is not readable. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  /** Every row group of a file shares one schema, so what may be null is said by the columns, not by a batch. */
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
    source.codec = "UNCOMPRESSED"; // numbers hardly shrink, and these files are soon merged into others
  }
  return source;
}

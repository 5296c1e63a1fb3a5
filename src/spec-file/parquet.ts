import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isScytheError, messageOf, ScytheError } from "../errors.ts";
import { IGNORED_SPEC_COLUMNS } from "../schema/base.ts";
import type { Column } from "../schema/columns.ts";
import { withDuckDb } from "../table/duckdb.ts";
import { parquetRows } from "../table/parquet-sql.ts";
import { CODECS, ParquetReader, readRows } from "../table/read-parquet.ts";
import { literal } from "../table/sql.ts";
import { makeScratch } from "../temporary.ts";
import { LIMITS, tooLarge } from "./limits.ts";
import { decimalReadings, isDecimalText } from "./parquet-decimals.ts";
import { assertShape } from "./parquet-shape.ts";
import type { SpecRecord } from "./source.ts";

/** Reads Parquet. Nulls stay null, for the schema to interpret; pandas' index column is not a field. */
export async function* readParquet(path: string, columns: readonly Column[]): AsyncGenerator<SpecRecord> {
  const reader = await openChecked(path);
  try {
    const codecs = reader.metadata.row_groups.flatMap((group) => group.columns.map((c) => c.meta_data?.codec ?? ""));
    const isPlain = codecs.every((codec) => CODECS.includes(codec)) && !reader.metadata.schema.some(isDecimalText);
    if (isPlain) yield* records(reader, columns);
    else yield* rewritten(reader, columns);
  } finally {
    reader.close();
  }
}

async function openChecked(path: string): Promise<ParquetReader> {
  const reader = await ParquetReader.open(path, { stringFromBytes: (bytes) => bytes && strictText(bytes) });
  try {
    assertShape(reader);
    return reader;
  } catch (error) {
    reader.close();
    throw isScytheError(error) ? error : unreadable(path, error);
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function strictText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new Error("it has bytes that are not UTF-8 text", { cause });
  }
}

/** Lets DuckDB rewrite a file that only it can read: zstd or LZ4 compression, decimals as bytes of any length. */
async function* rewritten(reader: ParquetReader, columns: readonly Column[]): AsyncGenerator<SpecRecord> {
  const scratch = await makeScratch("specs");
  try {
    const plain = join(scratch, "specs.pq");
    const sql = `COPY (SELECT * FROM ${parquetRows(reader.path)}) TO ${literal(plain)} (FORMAT parquet, COMPRESSION uncompressed)`;
    const options = { tempDir: join(scratch, "spill"), memoryMb: 384 };
    await withDuckDb(options, reader.rows, (duck) => duck.run(sql, "it cannot be unpacked")).catch((error) => {
      throw isScytheError(error) && error.code !== "internal" ? error : unreadable(reader.path, error);
    });
    const unpacked = await openChecked(plain);
    try {
      if (unpacked.rows !== reader.rows) {
        throw new ScytheError("invalid_input", `${reader.path} has ${unpacked.rows} of ${reader.rows} rows`);
      }
      yield* records(unpacked, columns);
    } finally {
      unpacked.close();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function* records(reader: ParquetReader, columns: readonly Column[]): AsyncGenerator<SpecRecord> {
  const present = presentColumns(reader, columns);
  const decimals = decimalReadings(reader);
  let row = 0;
  try {
    for (const { from, to } of slices(reader)) {
      for await (const value of readRows(reader, present, from, to, decimals)) yield { at: `row ${++row}`, value };
    }
  } catch (error) {
    throw isScytheError(error) ? error : unreadable(`${reader.path}, after row ${row}`, error);
  }
}

function unreadable(where: string, cause: unknown): ScytheError {
  return new ScytheError("invalid_input", `${where}: not a readable Parquet file: ${messageOf(cause)}`, {
    hint: "The file may be damaged; write it again.",
    cause,
  });
}

function presentColumns(reader: ParquetReader, columns: readonly Column[]): Column[] {
  const names = reader.columnNames;
  if (names.length > LIMITS.columns) {
    throw tooLarge(reader.path, `${names.length} columns; the limit is ${LIMITS.columns}`);
  }
  const known = new Map(columns.map((column) => [column.name, column]));
  const skipped = new Set<string>([...IGNORED_SPEC_COLUMNS, "__index_level_0__"]);
  return names
    .filter((name) => name === "sort_index" || !skipped.has(name))
    .map((name) => known.get(name) ?? looseColumn(name))
    .map((column) => ({ ...column, optional: column.optional || !known.has(column.name) }));
}

function looseColumn(name: string): Column {
  return { name, type: { kind: "float64" }, nullable: true, optional: true, file: false };
}

/** Approximate bytes of values in memory at once. */
const SLICE_BYTES = 32 * 2 ** 20;
const MIN_ROWS = 1_024;

/** Ranges of rows within row groups: a small group is read at once, a larger one in parts. */
function* slices(reader: ParquetReader): Generator<{ from: number; to: number }> {
  const { row_groups: groups } = reader.metadata;
  let group = 0;
  let begun = 0;
  for (const range of reader.rowGroups()) {
    while (begun + Number(groups[group]!.num_rows) <= range.from) begun += Number(groups[group++]!.num_rows);
    const bytes = Number(groups[group]!.total_byte_size) || 1;
    const rows = Math.max(MIN_ROWS, Math.floor((range.to - range.from) * Math.min(1, SLICE_BYTES / bytes)));
    for (let from = range.from; from < range.to; from += rows) yield { from, to: Math.min(range.to, from + rows) };
  }
}

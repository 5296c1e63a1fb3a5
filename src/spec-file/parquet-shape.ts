import type { ColumnChunk, ColumnMetaData, PageHeader, RowGroup, SchemaElement } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { messageOf, ScytheError } from "../errors.ts";
import type { ParquetReader } from "../table/read-parquet.ts";
import { LIMITS, tooLarge } from "./limits.ts";

/**
 * Checks that a Parquet file contains what its footer claims: a reader that trusts a wrong footer would invent rows,
 * lose some, or allocate any amount of memory. Reads only page headers.
 * @throws ScytheError `invalid_input` naming the row group and the column
 */
export function assertShape(reader: ParquetReader): void {
  const { row_groups: groups, num_rows } = reader.metadata;
  const rows = groups.reduce((sum, group) => sum + group.num_rows, 0n);
  if (rows !== num_rows) throw damaged(reader.path, `it claims ${num_rows} rows, and its row groups ${rows}`);
  const repeated = repeatedColumns(reader.metadata.schema);
  groups.forEach((group, i) => {
    assertGroup(reader, group, repeated, `row group ${i + 1}`);
  });
}

function assertGroup(reader: ParquetReader, group: RowGroup, repeated: ReadonlyMap<string, boolean>, where: string) {
  if (group.columns.length !== repeated.size) {
    throw damaged(reader.path, `${where} has ${group.columns.length} of ${repeated.size} columns`);
  }
  for (const chunk of group.columns) {
    const column = chunk.meta_data?.path_in_schema.join(".") ?? "?";
    const isRepeated = repeated.get(column);
    if (!chunk.meta_data || isRepeated === undefined) throw damaged(reader.path, `${where} has no column ${column}`);
    assertChunk(reader, chunk, chunk.meta_data, isRepeated ? undefined : group.num_rows, `${where}, column ${column}`);
  }
}

/** @param rows undefined for a column of lists, which do not have one value per row */
function assertChunk(
  reader: ParquetReader,
  chunk: ColumnChunk,
  meta: ColumnMetaData,
  rows: bigint | undefined,
  where: string,
): void {
  const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
  const end = start + Number(meta.total_compressed_size);
  if (chunk.file_path || start < 4 || end < start || end > reader.byteLength) {
    throw damaged(reader.path, `${where} is outside of the file`);
  }
  const claimed = meta.num_values;
  const most = Math.max(Number(claimed), Number(rows ?? 0n));
  if (most > LIMITS.columnValues) {
    throw tooLarge(reader.path, `${where} claims ${most} values; the limit is ${LIMITS.columnValues} in a row group`);
  }
  let found = 0;
  for (const { header, size } of pages(reader, start, end, where)) {
    found += (header.data_page_header ?? header.data_page_header_v2)?.num_values ?? 0;
    if (size > LIMITS.columnBytes) {
      throw tooLarge(
        reader.path,
        `${where} has more than ${LIMITS.columnBytes / 2 ** 20} MB; write smaller row groups`,
      );
    }
  }
  if (BigInt(found) !== claimed) throw damaged(reader.path, `${where} has ${found} values and claims ${claimed}`);
  if (rows !== undefined && claimed !== rows) {
    throw damaged(reader.path, `${where} has ${claimed} values, and the file claims ${rows} rows there`);
  }
}

/** The pages of a column, with the total uncompressed size so far. */
function* pages(reader: ParquetReader, start: number, end: number, where: string) {
  let size = 0;
  for (let at = start; at < end; ) {
    const { header, length } = headerAt(reader, at, end, where);
    const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header;
    at += length + packed;
    if (!(packed >= 0 && unpacked >= 0) || at > end) throw damaged(reader.path, `a page of ${where} is cut short`);
    size += unpacked;
    yield { header, size };
  }
}

/** A header is short, except for its statistics, which contain values. */
const HEADER_SIZES = [512, 64 * 1024, 16 * 2 ** 20];

function headerAt(
  reader: ParquetReader,
  at: number,
  end: number,
  where: string,
): { header: PageHeader; length: number } {
  let problem: unknown;
  for (const size of HEADER_SIZES) {
    try {
      const view = { view: new DataView(reader.bytes(at, Math.min(end, at + size))), offset: 0 };
      return { header: parquetHeader(view), length: view.offset };
    } catch (error) {
      problem = error;
      if (at + size >= end) break;
    }
  }
  throw damaged(reader.path, `a page of ${where} cannot be read: ${messageOf(problem)}`);
}

/** Paths of the leaf columns, and whether they may have several values per row. */
function repeatedColumns(schema: readonly SchemaElement[]): Map<string, boolean> {
  const columns = new Map<string, boolean>();
  let at = 1;
  const visit = (path: readonly string[], repeated: boolean): void => {
    const element = schema[at++];
    if (!element) return;
    const own = [...path, element.name];
    const isRepeated = repeated || element.repetition_type === "REPEATED";
    const children = element.num_children ?? 0;
    if (children === 0) columns.set(own.join("."), isRepeated);
    for (let i = 0; i < children && at < schema.length; i++) visit(own, isRepeated);
  };
  while (at < schema.length) visit([], false);
  return columns;
}

function damaged(path: string, problem: string): ScytheError {
  return new ScytheError("invalid_input", `${path}: not a valid Parquet file: ${problem}`, {
    hint: "The file is damaged, or its metadata is wrong; write it again.",
  });
}

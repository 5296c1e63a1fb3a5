import { ScytheError } from "../errors.ts";
import { IGNORED_SPEC_COLUMNS } from "../spec/base.ts";
import type { Column } from "../spec/columns.ts";
import { ParquetReader, readRows } from "../table/read-parquet.ts";
import type { SpecRecord } from "./source.ts";

/** Nulls stay null, for the schema to say what they are; what pandas adds for its index is not a field. */
export async function* readParquet(path: string, columns: readonly Column[]): AsyncGenerator<SpecRecord> {
  const reader = await ParquetReader.open(path);
  const codec = reader.metadata.row_groups.flatMap((group) => group.columns.map((c) => c.meta_data?.codec ?? ""));
  const unread = codec.find((name) => !["UNCOMPRESSED", "SNAPPY"].includes(name));
  try {
    if (unread) {
      throw new ScytheError("invalid_input", `${path} is compressed with ${unread}, which cannot be read here`, {
        hint: 'Write it with Snappy (pandas and DuckDB do by default; Polars: compression="snappy").',
      });
    }
    const known = new Map(columns.map((column) => [column.name, column]));
    const skipped = new Set<string>([...IGNORED_SPEC_COLUMNS, "__index_level_0__"]);
    const present: Column[] = reader.columnNames
      .filter((name) => name === "sort_index" || !skipped.has(name))
      .map((name) => known.get(name) ?? looseColumn(name))
      .map((column) => ({ ...column, optional: column.optional || !known.has(column.name) }));
    let row = 0;
    for await (const value of readRows(reader, present)) yield { at: `row ${++row}`, value };
  } finally {
    reader.close();
  }
}

function looseColumn(name: string): Column {
  return { name, type: { kind: "float64" }, nullable: true, optional: true, file: false };
}

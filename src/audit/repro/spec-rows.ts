import type { Column } from "../../schema/columns.ts";
import { decoderOf } from "../../table/physical.ts";
import { ParquetReader, rowAt } from "../../table/read-parquet.ts";

/**
 * The rows of one spec in a table on this machine, values as the schema gave them.
 * @param columnsOf which columns, seen those that the file has
 */
export async function rowsOfSpec(
  path: string,
  sortIndex: number,
  columnsOf: (reader: ParquetReader) => readonly Column[],
): Promise<Record<string, unknown>[]> {
  const reader = await ParquetReader.open(path);
  try {
    const columns = columnsOf(reader);
    const rows: Record<string, unknown>[] = [];
    for (const group of reader.rowGroups()) {
      const ids = (await reader.read(["sort_index"], group.from, group.to)).get("sort_index")!;
      for (let i = 0; i < ids.length; i++) {
        if (Number(ids[i]) === sortIndex) rows.push(await oneRow(reader, columns, group.from + i));
      }
    }
    return rows;
  } finally {
    reader.close();
  }
}

async function oneRow(reader: ParquetReader, columns: readonly Column[], at: number): Promise<Record<string, unknown>> {
  const names = columns.map((column) => column.name);
  const data = await reader.read(names, at, at + 1);
  const values = names.map((name) => data.get(name)!);
  return rowAt(
    names,
    columns.map((column) => decoderOf(column.type)),
    columns,
    values,
    0,
  );
}

import { writeFile } from "node:fs/promises";
import type { RunLayout } from "../run/layout.ts";
import type { Column } from "../schema/columns.ts";
import { BatchBuilder } from "../table/batch.ts";
import { parquetRows } from "../table/parquet-sql.ts";
import { literal } from "../table/sql.ts";
import { parquetBytes } from "../table/write-parquet.ts";

/** Writes what is known of files where DuckDB can join it with the tables that name them. Returns its rows as SQL. */
export async function writeListing<Name extends string>(
  path: string,
  columns: Readonly<Record<Name, "string" | "float64">>,
  rows: Iterable<Readonly<Record<Name, unknown>>>,
): Promise<string> {
  const plain = { nullable: false, optional: false, file: false };
  const kinds = Object.entries(columns) as [Name, "string" | "float64"][];
  const builder = new BatchBuilder(kinds.map(([name, kind]): Column => ({ name, type: { kind }, ...plain })));
  for (const row of rows) builder.append(row);
  await writeFile(path, parquetBytes(builder.take()));
  return parquetRows(path);
}

/** {@link RunLayout.pathOf} as SQL: null for a URI that leads elsewhere. */
export function pathInRun({ experimentId }: RunLayout, uri: string): string {
  const inRun = `/${experimentId}/`;
  return `CASE WHEN contains(${uri}, ${literal(inRun)})
    THEN substr(${uri}, instr(${uri}, ${literal(inRun)}) + ${inRun.length}) END`;
}

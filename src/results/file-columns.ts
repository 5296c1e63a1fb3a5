import type { AnyExperiment } from "../experiment/define.ts";
import type { Column, ColumnType } from "../schema/columns.ts";
import type { ParquetReader } from "../table/read-parquet.ts";

/**
 * The columns of a final table, typed by the schemas; columns that no schema names (ids, features, a run of Python
 * Scythe) are typed by the file.
 */
export function tableColumns(reader: ParquetReader, experiment: AnyExperiment | undefined, table: string): Column[] {
  const known = new Map<string, Column>();
  if (experiment) {
    const { input, scalars, files, tables } = experiment.columns;
    const own = table === "scalars" ? scalars : table === "result_file_refs" ? files : (tables[table] ?? []);
    for (const column of [...input, ...own]) known.set(column.name, column);
  }
  return reader.columnNames.map((name) => known.get(name) ?? fromFile(reader, name));
}

function fromFile(reader: ParquetReader, name: string): Column {
  const element = reader.metadata.schema.find((candidate) => candidate.name === name)!;
  return { name, type: typeOf(element.type), nullable: true, optional: false, file: false };
}

/** `float64` decodes both of JavaScript's number types; nested columns are returned as read. */
function typeOf(physical: string | undefined): ColumnType {
  if (physical === "INT64" || physical === "INT32") return { kind: "int64" };
  if (physical === "BOOLEAN") return { kind: "boolean" };
  return { kind: physical === "DOUBLE" || physical === "FLOAT" ? "float64" : "string" };
}

import type { Column, ColumnType } from "../schema/columns.ts";

/**
 * The `pandas` key of a Parquet file's metadata: makes `pandas.read_parquet` return the first columns as a MultiIndex.
 * Source: pandas developer docs, "Storing pandas DataFrame objects in Apache Parquet format".
 */
export function pandasMetadata(index: readonly Column[], columns: readonly Column[]): string {
  const all = [...index, ...columns];
  return JSON.stringify({
    index_columns: index.map((column) => column.name),
    column_indexes: [
      { name: null, field_name: null, pandas_type: "unicode", numpy_type: "object", metadata: { encoding: "UTF-8" } },
    ],
    columns: all.map((column) => ({ name: column.name, field_name: column.name, ...pandasType(column.type) })),
    creator: { library: "scythe-ts", version: "1" },
    pandas_version: "2.0.0",
  });
}

function pandasType(type: ColumnType): { pandas_type: string; numpy_type: string; metadata: object | null } {
  switch (type.kind) {
    case "float64":
      return { pandas_type: "float64", numpy_type: "float64", metadata: null };
    case "int64":
    case "bigint":
      return { pandas_type: "int64", numpy_type: "int64", metadata: null };
    case "boolean":
      return { pandas_type: "bool", numpy_type: "bool", metadata: null };
    case "timestamp":
      return { pandas_type: "datetimetz", numpy_type: "datetime64[us]", metadata: { timezone: "UTC" } };
    case "string":
    case "json":
      return { pandas_type: "unicode", numpy_type: "object", metadata: null };
    default:
      return { pandas_type: "object", numpy_type: "object", metadata: null };
  }
}

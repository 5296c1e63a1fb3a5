import type { Column, ColumnType } from "../spec/columns.ts";

/** A name as a quoted SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string as a SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A list of strings as a SQL list literal. */
export function literalList(texts: readonly string[]): string {
  return `[${texts.map(literal).join(", ")}]`;
}

/** The DuckDB type that a column has in a finished table. */
export function sqlType(type: ColumnType): string {
  switch (type.kind) {
    case "float64":
      return "DOUBLE";
    case "int64":
    case "bigint":
      return "BIGINT";
    case "boolean":
      return "BOOLEAN";
    case "timestamp":
      return "TIMESTAMP WITH TIME ZONE";
    case "string":
    case "json":
      return "VARCHAR";
    case "list":
      return `${sqlType(type.element)}[]`;
    case "struct":
      return `STRUCT(${type.fields.map((field) => `${identifier(field.name)} ${sqlType(field.type)}`).join(", ")})`;
  }
}

/** SQL that turns a physical column (see `physical.ts`) into its finished type. */
export function finishedExpression(column: Column): string {
  const name = identifier(column.name);
  switch (column.type.kind) {
    case "int64":
      return `CAST(${name} AS BIGINT)`;
    case "timestamp": // milliseconds to microseconds in integers: a double has not enough digits
      return `make_timestamptz(CAST(${name} AS BIGINT) * 1000)`;
    case "list":
    case "struct":
      return `CAST(CAST(${name} AS JSON) AS ${sqlType(column.type)})`;
    default:
      return name;
  }
}

/** `expression AS "name"` for a physical column. */
export function finished(column: Column): string {
  return `${finishedExpression(column)} AS ${identifier(column.name)}`;
}

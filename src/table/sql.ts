import type { Column, ColumnType } from "../schema/columns.ts";

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

/**
 * The DuckDB type of a column in a final table.
 * @param json the type of JSON text inside it
 */
export function sqlType(type: ColumnType, json = "VARCHAR"): string {
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
      return "VARCHAR";
    case "json":
      return json;
    case "list":
      return `${sqlType(type.element, json)}[]`;
    case "struct": {
      const fields = type.fields.map((field) => `${identifier(field.name)} ${sqlType(field.type, json)}`);
      return `STRUCT(${fields.join(", ")})`;
    }
  }
}

/** SQL that converts a physical column (see `physical.ts`) to its final type. */
export function finishedExpression(column: Column): string {
  const name = identifier(column.name);
  switch (column.type.kind) {
    case "int64":
      return `CAST(${name} AS BIGINT)`;
    case "timestamp": // milliseconds to microseconds in integers: a double has not enough digits
      return `make_timestamptz(CAST(${name} AS BIGINT) * 1000)`;
    case "list":
    case "struct": // through JSON, because a cast to text removes a JSON string's quotes
      return `CAST(CAST(CAST(${name} AS JSON) AS ${sqlType(column.type, "JSON")}) AS ${sqlType(column.type)})`;
    default:
      return name;
  }
}

/** `expression AS "name"` for a physical column. */
export function finished(column: Column): string {
  return `${finishedExpression(column)} AS ${identifier(column.name)}`;
}

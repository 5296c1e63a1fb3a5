type Schema = Record<string, unknown>;

/**
 * Whether a column of this DuckDB type can be that of a field with this JSON Schema. Lenient where a schema does not
 * say: what is certain is that a number's column is no text, and the like.
 * @param definitions what `$ref` leads to
 */
export function mayHold(schema: unknown, type: string, definitions: Readonly<Record<string, unknown>> = {}): boolean {
  const kinds = kindsOf(schema, definitions, 0);
  if (!kinds || kinds.size === 0) return true;
  if (type === "VARCHAR" && (kinds.size > 1 || kinds.has("array") || kinds.has("object"))) return true; // JSON text
  return [...kinds].some((kind) => FITS[kind]?.test(type) ?? true);
}

const FITS: Record<string, RegExp> = {
  number: /^(DOUBLE|FLOAT|BIGINT|INTEGER)$/,
  integer: /^(BIGINT|INTEGER|DOUBLE)$/,
  string: /^VARCHAR$/,
  date: /^(TIMESTAMP.*|DATE|VARCHAR)$/,
  boolean: /^BOOLEAN$/,
  array: /\[\d*\]$/,
  object: /^(STRUCT|MAP)/,
};

/** Kinds of value that a schema lets through, null aside; undefined when it does not say. */
function kindsOf(
  schema: unknown,
  definitions: Readonly<Record<string, unknown>>,
  depth: number,
): Set<string> | undefined {
  if (typeof schema !== "object" || schema === null || depth > 20) return undefined;
  const { $ref, anyOf, oneOf, type, format, enum: values } = schema as Schema;
  if (typeof $ref === "string") return kindsOf(definitions[$ref.replace(/^#\/\$defs\//, "")], definitions, depth + 1);
  const options = (anyOf ?? oneOf) as unknown[] | undefined;
  if (Array.isArray(options)) {
    const each = options.map((option) => kindsOf(option, definitions, depth + 1));
    return each.includes(undefined) ? undefined : new Set(each.flatMap((kinds) => [...kinds!]));
  }
  const types = Array.isArray(type) ? (type as string[]) : typeof type === "string" ? [type] : undefined;
  if (!types) return Array.isArray(values) ? new Set(values.filter((v) => v !== null).map(kindOfValue)) : undefined;
  const dated = typeof format === "string" && format.startsWith("date");
  return new Set(types.filter((kind) => kind !== "null").map((kind) => (kind === "string" && dated ? "date" : kind)));
}

function kindOfValue(value: unknown): string {
  return typeof value === "object" ? (Array.isArray(value) ? "array" : "object") : typeof value;
}

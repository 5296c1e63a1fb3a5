import { fromJson, toJson } from "../json.ts";
import type { Column, ColumnType } from "../schema/columns.ts";

/**
 * How a column is stored inside a run (staged specs, messages, parts): four scalar kinds that JavaScript writes fast.
 * `table/sql.ts` converts them to the types of the final tables.
 */
export type Physical = "double" | "boolean" | "int64" | "text";

export function physicalOf(type: ColumnType): Physical {
  switch (type.kind) {
    case "float64":
    case "int64": // safe integers are exact in a double
    case "timestamp": // milliseconds since 1970
      return "double";
    case "boolean":
      return "boolean";
    case "bigint":
      return "int64";
    default:
      return "text"; // nested values as JSON
  }
}

/** Turns a parsed value into its physical form; null stays null. */
export function encoderOf(type: ColumnType): (value: unknown) => unknown {
  switch (type.kind) {
    case "timestamp":
      return (value) => (value as Date).getTime();
    case "list":
    case "struct": {
      const complete = completerOf(type) ?? ((value) => value);
      return (value) => toJson(complete(value), numberAsText);
    }
    case "json":
      return (value) => toJson(value);
    default:
      return (value) => value;
  }
}

/**
 * Completes an object's missing fields with null, without which SQL cannot cast JSON to a struct, and converts JSON
 * values to what they will be after a round trip. Undefined when nothing changes.
 */
function completerOf(type: ColumnType): ((value: unknown) => unknown) | undefined {
  if (type.kind === "json") return (value) => (value === undefined ? value : fromJson(toJson(value)));
  if (type.kind === "list") {
    const inner = completerOf(type.element);
    return inner && ((value) => (value as unknown[] | null)?.map(inner) ?? null);
  }
  if (type.kind !== "struct") return undefined;
  const fields = type.fields.map((field) => ({ name: field.name, complete: completerOf(field.type) }));
  if (!type.fields.some((field) => field.nullable) && !fields.some((field) => field.complete)) return undefined;
  return (value) => {
    if (value === null || value === undefined) return null;
    const own = value as Record<string, unknown>;
    return Object.fromEntries(
      fields.map(({ name, complete }) => [name, complete?.(ownOf(own, name)) ?? ownOf(own, name) ?? null]),
    );
  };
}

/** An object's own field, not an inherited one. */
function ownOf(value: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** JSON has no 64-bit integers, negative zero or infinity; as text they cast to their type. */
function numberAsText(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "number" || (value !== 0 && Number.isFinite(value))) return value;
  return Object.is(value, -0) ? "-0" : value === 0 ? 0 : String(value);
}

/**
 * Converts what hyparquet reads from a final table back to the schema's value. A value of another type (in a user's
 * spec file) is passed on unchanged, for the schema to refuse by name.
 */
export function decoderOf(type: ColumnType): (value: unknown) => unknown {
  switch (type.kind) {
    case "int64":
    case "float64": // in a user's file it may exceed a number's range
      return (value) => (typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value);
    case "bigint":
      return (value) => (Number.isSafeInteger(value) ? BigInt(value as number) : value);
    case "json":
      return (value) => (typeof value === "string" ? jsonOr(value) : value);
    case "list": {
      const inner = decoderOf(type.element);
      return (value) =>
        Array.isArray(value) ? value.map((item) => (item === null || item === undefined ? null : inner(item))) : value;
    }
    case "struct": {
      const fields = type.fields.map((field) => ({ name: field.name, ...decodingOf(field) }));
      return (value) =>
        typeof value === "object" && value !== null ? decodeStruct(value as Record<string, unknown>, fields) : value;
    }
    default:
      return (value) => value;
  }
}

/** Parses JSON text; other text is returned unchanged. */
export function jsonOr(text: string): unknown {
  try {
    return fromJson(text);
  } catch {
    return text;
  }
}

interface Decoding {
  decode: (value: unknown) => unknown;
  optional: boolean;
}

function decodingOf(column: Column): Decoding {
  return { decode: decoderOf(column.type), optional: column.optional };
}

function decodeStruct(
  value: Record<string, unknown>,
  fields: readonly ({ name: string } & Decoding)[],
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const { name, decode, optional } of fields) {
    const inner = value[name];
    if (inner !== null && inner !== undefined) result[name] = decode(inner);
    else if (!optional && name in value) result[name] = null; // hyparquet gives undefined for an object that is null
  }
  return result;
}

import { z } from "zod";
import { ScytheError } from "../errors.ts";
import { isFileRef } from "./file-ref.ts";

/**
 * How a value is held in a Parquet table. `docs/guide/types.md` lists what each zod schema becomes.
 * `json` is text: a record, tuple or union whose shape Parquet has no single type for.
 */
export type ColumnType =
  | { kind: "float64" | "int64" | "bigint" | "boolean" | "string" | "timestamp" | "json" }
  | { kind: "list"; element: ColumnType }
  | { kind: "struct"; fields: Column[] };

export interface Column {
  name: string;
  type: ColumnType;
  nullable: boolean;
  /** A null stands for a field that was left out, as the schema takes no null there. */
  optional: boolean;
  /** Holds file references: one, or (for a list) many. */
  file: boolean;
}

/** True for a column of one plain value a row: only these become index levels, as in Python Scythe. */
export function isScalarColumn(column: Column): boolean {
  return column.type.kind !== "list" && column.type.kind !== "struct" && column.type.kind !== "json";
}

/**
 * The Parquet columns of an object schema, in the order of its fields. Types come from the schema, never from data.
 * @throws ScytheError `invalid_definition` naming the field that Parquet cannot hold.
 */
export function columnsOf(schema: z.core.$ZodObject, where: string): Column[] {
  return Object.entries(schema._zod.def.shape).map(([name, field]) => columnOf(name, field, `${where}.${name}`));
}

function columnOf(name: string, schema: z.core.$ZodType, where: string): Column {
  const { inner, nullable } = unwrap(schema);
  const optional = nullable && !acceptsNull(schema);
  return { name, type: typeOf(inner, where), nullable, optional, file: isFileColumn(inner) };
}

function isFileColumn(schema: z.core.$ZodType): boolean {
  if (isFileRef(schema)) return true;
  const def = schema._zod.def as z.core.$ZodArrayDef;
  return def.type === "array" && isFileRef(unwrap(def.element).inner);
}

const WRAPPERS = new Set(["optional", "nullable", "default", "prefault", "readonly", "nonoptional", "catch"]);

/** Peels what changes only whether a value may be missing, and a pipe down to the side its values have. */
export function unwrap(schema: z.core.$ZodType): { inner: z.core.$ZodType; nullable: boolean } {
  let inner = schema;
  let nullable = false;
  for (;;) {
    const def = inner._zod.def as z.core.$ZodTypeDef & { innerType?: z.core.$ZodType };
    if (WRAPPERS.has(def.type) && def.innerType) {
      if (def.type === "optional" || def.type === "nullable") nullable = true;
      if (def.type === "nonoptional" || def.type === "default" || def.type === "prefault") {
        const peeled = unwrap(def.innerType);
        return { inner: peeled.inner, nullable: nullable || acceptsNull(def.innerType) };
      }
      inner = def.innerType;
    } else if (def.type === "pipe") {
      inner = pipeSide(inner as z.core.$ZodPipe);
    } else if (def.type === "lazy") {
      inner = (def as z.core.$ZodLazyDef).getter();
    } else if (def.type === "union") {
      const options = (def as z.core.$ZodUnionDef).options;
      const present = options.filter((o) => o._zod.def.type !== "null" && o._zod.def.type !== "undefined");
      if (present.length === options.length || present.length !== 1) {
        return { inner, nullable: nullable || present.length < options.length || options.some(isNullable) };
      }
      nullable = true;
      inner = present[0]!;
    } else {
      return { inner, nullable };
    }
  }
}

/** `default` makes a missing value present, but not a null one. */
function acceptsNull(schema: z.core.$ZodType): boolean {
  return z.core.safeParse(schema, null).success;
}

function isNullable(schema: z.core.$ZodType): boolean {
  return unwrap(schema).nullable;
}

/** The side of a pipe whose type its parsed values have; a bare transform is idempotent here, so its input's type. */
function pipeSide(pipe: z.core.$ZodPipe): z.core.$ZodType {
  const { in: input, out } = pipe._zod.def;
  return out._zod.def.type === "transform" ? input : out;
}

function typeOf(schema: z.core.$ZodType, where: string): ColumnType {
  const def = schema._zod.def;
  switch (def.type) {
    case "number":
      return { kind: isInteger(schema) ? "int64" : "float64" };
    case "int":
      return { kind: "int64" };
    case "bigint":
      return { kind: "bigint" };
    case "boolean":
      return { kind: "boolean" };
    case "string":
    case "template_literal":
      return { kind: "string" };
    case "date":
      return { kind: "timestamp" };
    case "enum":
      return typeOfValues(Object.values((def as z.core.$ZodEnumDef).entries), where);
    case "literal":
      return typeOfValues((def as z.core.$ZodLiteralDef<z.core.util.Literal>).values, where);
    case "array":
      return { kind: "list", element: typeOf(unwrap((def as z.core.$ZodArrayDef).element).inner, `${where}[]`) };
    case "object":
      return typeOfObject(schema as z.core.$ZodObject, where);
    case "union":
      return typeOfUnion(schema as z.core.$ZodUnion, where);
    case "record":
    case "tuple":
      assertJson(schema, where);
      return { kind: "json" };
    default:
      throw unsupported(def.type, where);
  }
}

function typeOfObject(schema: z.core.$ZodObject, where: string): ColumnType {
  const fields = columnsOf(schema, where);
  const catchall = schema._zod.def.catchall;
  const open = catchall !== undefined && catchall._zod.def.type !== "never";
  if (fields.length > 0 && !open) return { kind: "struct", fields };
  assertJson(schema, where);
  return { kind: "json" };
}

/** Options of one kind share that kind; whole and fractional numbers share `float64`; anything else is JSON text. */
function typeOfUnion(schema: z.core.$ZodUnion, where: string): ColumnType {
  const options = schema._zod.def.options.filter((o) => !["null", "undefined"].includes(o._zod.def.type));
  const types = options.map((option) => typeOf(unwrap(option).inner, where));
  const kinds = new Set(types.map((type) => type.kind));
  if (kinds.size === 1 && !kinds.has("list") && !kinds.has("struct")) return types[0]!;
  if ([...kinds].every((kind) => kind === "int64" || kind === "float64")) return { kind: "float64" };
  assertJson(schema, where);
  return { kind: "json" };
}

function typeOfValues(values: readonly unknown[], where: string): ColumnType {
  const kinds = new Set(values.filter((v) => v !== null && v !== undefined).map((v) => typeof v));
  if (kinds.size !== 1) throw unsupported(`a choice of ${[...kinds].sort().join(" and ")} values`, where);
  if (kinds.has("string")) return { kind: "string" };
  if (kinds.has("boolean")) return { kind: "boolean" };
  if (kinds.has("bigint")) return { kind: "bigint" };
  return { kind: values.every((v) => v === null || Number.isInteger(v)) ? "int64" : "float64" };
}

function isInteger(schema: z.core.$ZodType): boolean {
  const def = schema._zod.def as z.core.$ZodNumberDef & { format?: string };
  const formats = [def.format, ...(def.checks ?? []).map((check) => (check._zod.def as { format?: string }).format)];
  return formats.some((format) => format === "safeint" || format === "int32" || format === "uint32");
}

/** JSON text cannot carry bigints, dates or files without loss; such schemas need a field of their own. */
function assertJson(schema: z.core.$ZodType, where: string): void {
  const def = schema._zod.def as unknown as Record<string, unknown> & { type: string };
  if (def.type === "bigint" || def.type === "date") throw unsupported(`a ${def.type} inside a JSON column`, where);
  if (isFileRef(schema)) throw unsupported("a file inside a JSON column", where);
  const children = [def.innerType, def.element, def.valueType, def.in, def.rest, def.catchall];
  if (def.type === "object") children.push(...Object.values(def.shape as object));
  if (def.type === "union") children.push(...(def.options as unknown[]));
  if (def.type === "tuple") children.push(...(def.items as unknown[]));
  if (["symbol", "function", "map", "set", "file", "promise", "custom"].includes(def.type)) {
    throw unsupported(def.type, where);
  }
  for (const child of children) if (child) assertJson(child as z.core.$ZodType, where);
}

function unsupported(what: string, where: string): ScytheError {
  return new ScytheError("invalid_definition", `${where}: Parquet cannot hold ${what}.`, {
    hint: "Use a number, string, boolean, bigint, date, enum, array or object of these, or write a file (fileRef).",
    details: { where },
  });
}

import { z } from "zod";
import { ScytheError } from "../errors.ts";
import { isFileRef } from "./file-ref.ts";

/**
 * How a value is stored in a Parquet table. `docs/guide/types.md` lists the type of each zod schema. `json` is text: a
 * record, tuple or union, for which Parquet has no single type.
 */
export type ColumnType =
  | { kind: "float64" | "int64" | "bigint" | "boolean" | "string" | "timestamp" }
  /** `plain`: each value is a number, a string or a boolean. */
  | { kind: "json"; plain?: boolean }
  | { kind: "list"; element: ColumnType }
  | { kind: "struct"; fields: Column[] };

/** A column of a Parquet table, as its schema gives it. */
export interface Column {
  name: string;
  type: ColumnType;
  nullable: boolean;
  /** A null means that the field was omitted, as the schema does not accept null. */
  optional: boolean;
  /** Contains a file reference, or a list of them. */
  file: boolean;
}

/** True for a column of scalar values: only these become index levels, as in Python Scythe. */
export function isScalarColumn(column: Column): boolean {
  return !["list", "struct", "json"].includes(column.type.kind) || isUnionColumn(column);
}

/** True for a column of scalar values of several types (`number | "auto"`), each as JSON text. */
export function isUnionColumn({ type }: Column): boolean {
  return type.kind === "json" && type.plain === true;
}

/**
 * The Parquet columns of an object schema, in the order of its fields. Types come from the schema, never from data.
 * @throws ScytheError `invalid_definition` naming the field that Parquet cannot hold.
 */
export function columnsOf(schema: z.core.$ZodObject, where: string): Column[] {
  return columnsWithin([], schema, where);
}

/** The enclosing schemas, to detect recursion. */
type Outer = readonly z.core.$ZodType[];

function columnsWithin(outer: Outer, schema: z.core.$ZodObject, where: string): Column[] {
  return Object.entries(schema._zod.def.shape).map(([name, field]) => columnOf(outer, name, field, `${where}.${name}`));
}

function columnOf(outer: Outer, name: string, schema: z.core.$ZodType, where: string): Column {
  const { inner } = unwrap(schema);
  const nullable = isNullable(schema);
  const optional = nullable && !acceptsNull(schema);
  return { name, type: typeOf(outer, inner, where), nullable, optional, file: isFileColumn(inner) };
}

function isFileColumn(schema: z.core.$ZodType): boolean {
  if (isFileRef(schema)) return true;
  const def = schema._zod.def as z.core.$ZodArrayDef;
  return def.type === "array" && isFileRef(unwrap(def.element).inner);
}

const WRAPPERS = new Set(["optional", "nullable", "default", "prefault", "readonly", "nonoptional", "catch"]);

/**
 * Removes wrappers that affect only whether a value may be missing, and reduces a pipe to the side that its values
 * have.
 */
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
      inner = (inner as z.core.$ZodLazy)._zod.innerType; // the getter itself creates a new schema at each call
    } else if (def.type === "union") {
      const options = (def as z.core.$ZodUnionDef).options;
      const present = options.filter(isPresent);
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

function isPresent(schema: z.core.$ZodType): boolean {
  return schema._zod.def.type !== "null" && schema._zod.def.type !== "undefined";
}

/** True for a literal that may be null or undefined. */
function holdsNull(schema: z.core.$ZodType): boolean {
  const def = schema._zod.def as z.core.$ZodLiteralDef<z.core.util.Literal>;
  return def.type === "literal" && def.values.some((value) => value === null || value === undefined);
}

/**
 * Whether null is accepted as null. `default` replaces a missing value but not null; `z.coerce` turns null into 0,
 * which is not null.
 */
function acceptsNull(schema: z.core.$ZodType): boolean {
  try {
    const result = z.core.safeParse(schema, null);
    return result.success && result.data === null;
  } catch {
    return false; // a transform that cannot handle null
  }
}

function isNullable(schema: z.core.$ZodType): boolean {
  const { inner, nullable } = unwrap(schema);
  return nullable || holdsNull(inner);
}

/**
 * The side of a pipe that has the type of its parsed values. A bare transform is idempotent here, so its input's type.
 */
function pipeSide(pipe: z.core.$ZodPipe): z.core.$ZodType {
  const { in: input, out } = pipe._zod.def;
  return out._zod.def.type === "transform" ? input : out;
}

function typeOf(outer: Outer, schema: z.core.$ZodType, where: string): ColumnType {
  if (outer.includes(schema)) return jsonType(schema, where); // a recursive schema, of any depth
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
      return typeOfValues(z.core.util.getEnumValues((def as z.core.$ZodEnumDef).entries), where);
    case "literal":
      return typeOfValues((def as z.core.$ZodLiteralDef<z.core.util.Literal>).values, where);
    case "array":
      return typeOfArray([...outer, schema], schema as z.core.$ZodArray, where);
    case "object":
      return typeOfObject([...outer, schema], schema as z.core.$ZodObject, where);
    case "union":
      return typeOfUnion([...outer, schema], schema as z.core.$ZodUnion, where);
    case "record":
    case "tuple":
      return jsonType(schema, where);
    default:
      throw unsupported(def.type, where);
  }
}

function typeOfArray(outer: Outer, schema: z.core.$ZodArray, where: string): ColumnType {
  const element = unwrap(schema._zod.def.element).inner;
  if (isFileColumn(element) && !isFileRef(element)) throw unsupported("files in lists of lists", where);
  if (isFileRef(element) && outer.length > 1) throw unsupported("files inside an object or list", where);
  return { kind: "list", element: typeOf(outer, element, `${where}[]`) };
}

function typeOfObject(outer: Outer, schema: z.core.$ZodObject, where: string): ColumnType {
  const fields = columnsWithin(outer, schema, where);
  const file = fields.find((field) => field.file);
  if (file) throw unsupported("files inside an object or list", `${where}.${file.name}`);
  const nameless = fields.find(({ name }) => !isFieldName(name));
  if (nameless) throw unsupported(`a field named ${JSON.stringify(nameless.name)} inside an object`, where);
  const twins = caseTwins(fields.map((field) => field.name));
  if (twins) throw unsupported(`two fields that differ only in case (${twins.join(", ")})`, where);
  const catchall = schema._zod.def.catchall;
  const open = catchall !== undefined && catchall._zod.def.type !== "never";
  return fields.length > 0 && !open ? { kind: "struct", fields } : jsonType(schema, where);
}

/** Options of one kind keep that kind; integers and other numbers share `float64`; anything else is JSON text. */
function typeOfUnion(outer: Outer, schema: z.core.$ZodUnion, where: string): ColumnType {
  const options = schema._zod.def.options.filter(isPresent).map((option) => unwrap(option).inner);
  if (options.some(isFileColumn)) throw unsupported("a choice of a file and something else", where);
  const types = options.map((option) => typeOf(outer, option, where));
  const kinds = new Set(types.map((type) => type.kind));
  if (kinds.size === 1 && !kinds.has("list") && !kinds.has("struct")) return types[0]!;
  if ([...kinds].every((kind) => kind === "int64" || kind === "float64")) return { kind: "float64" };
  const plain = types.every((type) => PLAIN_JSON.has(type.kind) || (type.kind === "json" && type.plain));
  return plain ? { kind: "json", plain } : jsonType(schema, where);
}

const PLAIN_JSON = new Set(["float64", "int64", "boolean", "string"]);

function typeOfValues(values: readonly unknown[], where: string): ColumnType {
  const kinds = new Set(values.filter((v) => v !== null && v !== undefined).map((v) => typeof v));
  if (kinds.size !== 1) throw unsupported(`a choice of ${[...kinds].sort().join(" and ")} values`, where);
  if (kinds.has("string")) return { kind: "string" };
  if (kinds.has("boolean")) return { kind: "boolean" };
  if (kinds.has("bigint")) return { kind: "bigint" };
  return { kind: values.every((v) => v === null || v === undefined || Number.isSafeInteger(v)) ? "int64" : "float64" };
}

function isInteger(schema: z.core.$ZodType): boolean {
  const def = schema._zod.def as z.core.$ZodNumberDef & { format?: string };
  const formats = [def.format, ...(def.checks ?? []).map((check) => (check._zod.def as { format?: string }).format)];
  return formats.some((format) => format === "safeint" || format === "int32" || format === "uint32");
}

/** `__proto__` cannot be set as an object's field. */
function isFieldName(name: string): boolean {
  return name !== "" && name !== "__proto__" && !name.includes("\0") && name.isWellFormed();
}

/** Two names that differ only in case, which SQL ignores in column names and in a struct's fields. */
export function caseTwins(names: readonly string[]): [string, string] | undefined {
  const folded = new Map<string, string>();
  for (const name of names) {
    const other = folded.get(name.toLowerCase());
    if (other !== undefined) return [other, name];
    folded.set(name.toLowerCase(), name);
  }
  return undefined;
}

function jsonType(schema: z.core.$ZodType, where: string): ColumnType {
  assertJson(schema, where, new Set());
  return { kind: "json" };
}

/** JSON text cannot represent bigints, dates or files without loss; such values need a field of their own. */
function assertJson(schema: z.core.$ZodType, where: string, seen: Set<z.core.$ZodType>): void {
  if (seen.has(schema)) return;
  seen.add(schema);
  const def = schema._zod.def as unknown as Record<string, unknown> & { type: string };
  if (def.type === "bigint" || def.type === "date") throw unsupported(`a ${def.type} inside a JSON column`, where);
  if (isFileRef(schema)) throw unsupported("a file inside a JSON column", where);
  const children = [def.innerType, def.element, def.valueType, def.in, def.rest, def.catchall];
  if (def.type === "object") children.push(...Object.values(def.shape as object));
  if (def.type === "union") children.push(...(def.options as unknown[]));
  if (def.type === "tuple") children.push(...(def.items as unknown[]));
  if (def.type === "lazy") children.push((schema as z.core.$ZodLazy)._zod.innerType);
  if (["symbol", "function", "map", "set", "file", "promise", "custom"].includes(def.type)) {
    throw unsupported(def.type, where);
  }
  for (const child of children) if (child) assertJson(child as z.core.$ZodType, where, seen);
}

function unsupported(what: string, where: string): ScytheError {
  return new ScytheError("invalid_definition", `${where}: Parquet cannot hold ${what}.`, {
    hint: "Use a number, string, boolean, bigint, date, enum, array or object of these, or write a file (fileRef).",
    details: { where },
  });
}

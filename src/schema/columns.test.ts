import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Column, type ColumnType, columnsOf, isScalarColumn } from "./columns.ts";
import { fileRef } from "./file-ref.ts";

const columnOf = (schema: z.ZodType): Column => columnsOf(z.object({ field: schema }), "study.input")[0]!;
const typeText = (type: ColumnType): string => {
  if (type.kind === "list") return `${typeText(type.element)}[]`;
  if (type.kind !== "struct") return type.kind;
  return `{${type.fields.map((field) => `${field.name}${field.nullable ? "?" : ""}: ${typeText(field.type)}`).join(", ")}}`;
};
/** `string?` = nullable, `string??` = a null stands for a missing value, `string file` = a file. */
const text = (schema: z.ZodType): string => {
  const { type, nullable, optional, file } = columnOf(schema);
  return `${typeText(type)}${nullable ? "?" : ""}${optional ? "?" : ""}${file ? " file" : ""}`;
};

const Color = { Red: 0, Green: 1, 0: "Red", 1: "Green" } as const; // as TypeScript compiles `enum Color`
const Fuel = { Gas: "gas", Oil: "oil" } as const;
interface Tree {
  name: string;
  children: Tree[];
}
const tree: z.ZodType<Tree> = z.object({ name: z.string(), children: z.array(z.lazy(() => tree)) });

const TYPES: Record<string, [z.ZodType, string]> = {
  number: [z.number(), "float64"],
  "number, whole": [z.number().int(), "int64"],
  int: [z.int(), "int64"],
  int32: [z.int32(), "int64"],
  uint32: [z.uint32(), "int64"],
  float32: [z.float32(), "float64"],
  "number, stepped": [z.number().min(0).multipleOf(5), "float64"],
  bigint: [z.bigint(), "bigint"],
  int64: [z.int64(), "bigint"],
  boolean: [z.boolean(), "boolean"],
  string: [z.string().min(1), "string"],
  email: [z.email(), "string"],
  "iso date": [z.iso.date(), "string"],
  uuid: [z.uuid(), "string"],
  "template literal": [z.templateLiteral(["zone-", z.number()]), "string"],
  date: [z.date(), "timestamp"],
  enum: [z.enum(["a", "b"]), "string"],
  "enum of an object": [z.enum(Fuel), "string"],
  "numeric enum": [z.enum(Color as never), "int64"],
  literal: [z.literal("a"), "string"],
  "whole literals": [z.literal([1, 2]), "int64"],
  "fractional literals": [z.literal([1, 2.5]), "float64"],
  "boolean literal": [z.literal(true), "boolean"],
  "bigint literal": [z.literal(3n), "bigint"],
  "literal or null": [z.literal(["a", null]), "string?"],
  array: [z.array(z.number()), "float64[]"],
  "array of arrays": [z.array(z.array(z.string())), "string[][]"],
  "array of dates": [z.array(z.date()), "timestamp[]"],
  object: [z.object({ a: z.number(), b: z.string().optional() }), "{a: float64, b?: string}"],
  nested: [z.object({ a: z.object({ b: z.array(z.object({ c: z.bigint() })) }) }), "{a: {b: {c: bigint}[]}}"],
  "empty object": [z.object({}), "json"],
  "loose object": [z.looseObject({ a: z.number() }), "json"],
  record: [z.record(z.string(), z.number()), "json"],
  tuple: [z.tuple([z.string(), z.number()]), "json"],
  "union of kinds": [z.union([z.string(), z.number()]), "json"],
  "union of one kind": [z.union([z.literal("a"), z.string().startsWith("b")]), "string"],
  "union of numbers": [z.union([z.int(), z.number()]), "float64"],
  "union with null": [z.union([z.string(), z.number(), z.null()]), "json?"],
  "union that is nullable": [z.union([z.number(), z.null()]), "float64?"],
  "union with undefined": [z.union([z.number(), z.undefined()]), "float64??"],
  "discriminated union": [
    z.discriminatedUnion("k", [z.object({ k: z.literal("a") }), z.object({ k: z.literal("b"), x: z.number() })]),
    "json",
  ],
  "array of unions": [z.array(z.union([z.string(), z.number()])), "json[]"],
  "any json": [z.json(), "json?"],
  "recursive object": [tree, "{name: string, children: json[]}"],
  optional: [z.number().optional(), "float64??"],
  nullable: [z.number().nullable(), "float64?"],
  nullish: [z.number().nullish(), "float64?"],
  nonoptional: [z.nonoptional(z.number().optional()), "float64"],
  default: [z.number().default(1), "float64"],
  "default of optional": [z.number().optional().default(1), "float64"],
  "default of nullable": [z.number().nullable().default(1), "float64?"],
  prefault: [z.string().prefault("a"), "string"],
  catch: [z.number().catch(0), "float64"],
  readonly: [z.array(z.number()).readonly(), "float64[]"],
  brand: [z.number().brand<"kWh">(), "float64"],
  refine: [z.number().refine((n) => n > 0), "float64"],
  pipe: [z.string().pipe(z.enum(["a"])), "string"],
  "pipe to another type": [z.string().transform(Number).pipe(z.number()), "float64"],
  transform: [z.string().transform((s) => s.trim()), "string"],
  preprocess: [z.preprocess((v) => v ?? 0, z.number()), "float64"],
  "preprocess that does not know null": [z.preprocess((v) => (v as string).trim(), z.string()).optional(), "string??"],
  codec: [z.codec(z.string(), z.date(), { decode: (s) => new Date(s), encode: (d) => d.toISOString() }), "timestamp"],
  "coerced number": [z.coerce.number(), "float64"],
  "coerced date": [z.coerce.date(), "timestamp"],
  lazy: [z.lazy(() => z.string()), "string"],
  file: [fileRef(), "string file"],
  "file, described and optional": [fileRef().describe("Weather").optional(), "string?? file"],
  files: [z.array(fileRef()), "string[] file"],
  "files, optional": [z.array(fileRef()).optional(), "string[]?? file"],
};

describe("the column of", () => {
  it.each(Object.entries(TYPES))("%s", (_, [schema, expected]) => {
    expect(text(schema)).toBe(expected);
  });
});

const REFUSED: Record<string, [z.ZodType, string]> = {
  symbol: [z.symbol(), "study.input.field: Parquet cannot hold symbol"],
  map: [z.map(z.string(), z.number()), "study.input.field: Parquet cannot hold map"],
  set: [z.set(z.string()), "study.input.field: Parquet cannot hold set"],
  any: [z.any(), "study.input.field: Parquet cannot hold any"],
  unknown: [z.unknown(), "study.input.field: Parquet cannot hold unknown"],
  null: [z.null(), "study.input.field: Parquet cannot hold null"],
  undefined: [z.undefined(), "study.input.field: Parquet cannot hold undefined"],
  never: [z.never(), "study.input.field: Parquet cannot hold never"],
  nan: [z.nan(), "study.input.field: Parquet cannot hold nan"],
  instanceof: [z.instanceof(Uint8Array), "study.input.field: Parquet cannot hold custom"],
  promise: [z.promise(z.string()), "study.input.field: Parquet cannot hold promise"],
  intersection: [z.intersection(z.object({}), z.object({})), "study.input.field: Parquet cannot hold intersection"],
  "literals of two types": [
    z.literal(["a", 1]),
    "study.input.field: Parquet cannot hold a choice of number and string values",
  ],
  "deep inside": [z.object({ a: z.array(z.object({ b: z.map(z.string(), z.string()) })) }), "study.input.field.a[].b:"],
  "bigint in a record": [z.record(z.string(), z.bigint()), "a bigint inside a JSON column"],
  "date in a tuple": [z.tuple([z.date()]), "a date inside a JSON column"],
  "date in a lazy union": [z.union([z.string(), z.lazy(() => z.array(z.date()))]), "a date inside a JSON column"],
  "file in a record": [z.record(z.string(), fileRef()), "a file inside a JSON column"],
  "file in an object": [
    z.object({ epw: fileRef() }),
    "study.input.field.epw: Parquet cannot hold files inside an object",
  ],
  "files in an object": [z.object({ all: z.array(fileRef()) }), "files inside an object"],
  "file in an array of objects": [z.array(z.object({ epw: fileRef() })), "study.input.field[].epw:"],
  "files in lists of lists": [z.array(z.array(fileRef())), "files in lists of lists"],
  "file or something else": [z.union([fileRef(), z.number()]), "a choice of a file and something else"],
  "fields that differ in case": [z.object({ a: z.number(), A: z.number() }), "differ only in case (a, A)"],
};

describe("no column is made of", () => {
  it.each(Object.entries(REFUSED))("%s", (_, [schema, message]) => {
    expect(() => columnOf(schema)).toThrow(expect.objectContaining({ code: "invalid_definition" }));
    expect(() => columnOf(schema)).toThrow(message);
  });
});

it("only plain values may be index levels", () => {
  const scalars = Object.entries(TYPES).filter(([, [schema]]) => isScalarColumn(columnOf(schema)));
  for (const [, [, expected]] of scalars) expect(expected).not.toMatch(/[[{]/);
  const unions = scalars.flatMap(([name, [, expected]]) => (expected.includes("json") ? [name] : []));
  expect(unions).toEqual(["union of kinds", "union with null"]);
  expect(scalars.length).toBeGreaterThan(30);
});

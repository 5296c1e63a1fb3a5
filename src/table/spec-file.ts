import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { CsvError, parse } from "csv-parse";
import { messageOf, ScytheError } from "../errors.ts";
import { IGNORED_SPEC_COLUMNS } from "../spec/base.ts";
import { type Column, type ColumnType, isScalarColumn } from "../spec/columns.ts";
import { withConnection } from "./duckdb.ts";
import { pathSql } from "./parquet-sql.ts";
import { jsonOr } from "./physical.ts";
import { ParquetReader, readRows } from "./read-parquet.ts";

/** One record of a spec file and where it stands, for messages: `line 7`, `row 3`. */
export interface SpecRecord {
  at: string;
  value: unknown;
}

const FORMATS: Record<string, (path: string, columns: readonly Column[]) => AsyncIterable<SpecRecord>> = {
  ".csv": readCsv,
  ".jsonl": readJsonLines,
  ".ndjson": readJsonLines,
  ".json": readJson,
  ".parquet": readParquet,
  ".pq": readParquet,
};

/**
 * Reads specs from a table file as a stream. CSV cells are turned into what the schema's columns ask for; an empty
 * cell is a missing value. The other formats carry their own types.
 * @throws ScytheError `invalid_input` naming the file and line that cannot be read
 */
export async function* readSpecFile(path: string, columns: readonly Column[]): AsyncGenerator<SpecRecord> {
  const read = FORMATS[extname(path).toLowerCase()];
  if (!read) {
    throw new ScytheError("invalid_input", `${path}: cannot tell what kind of spec file this is`, {
      hint: "Give a .csv, .jsonl, .json or .parquet file.",
    });
  }
  const info = await stat(path).catch((cause) => {
    throw new ScytheError("invalid_input", `No spec file ${path}`, { hint: "Check the path given to --specs.", cause });
  });
  if (!info.isFile()) throw new ScytheError("invalid_input", `${path} is not a file`);
  yield* read(path, columns);
}

async function* readCsv(path: string, columns: readonly Column[]): AsyncGenerator<SpecRecord> {
  const cells = new Map(columns.map((column) => [column.name, cellReader(column)]));
  // an empty cell is a missing value, or null for a field that must be there and may be null
  const nulls = new Set(columns.filter((column) => column.nullable && !column.optional).map((column) => column.name));
  const parser = createReadStream(path).pipe(
    parse({ bom: true, columns: distinct, info: true, skip_empty_lines: true }),
  );
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: Record<string, string>;
      info: { lines: number };
    }>) {
      const value: Record<string, unknown> = {};
      for (const [name, cell] of Object.entries(record)) {
        if (cell !== "") value[name] = (cells.get(name) ?? looseCell)(cell);
        else if (nulls.has(name)) value[name] = null;
      }
      yield { at: `line ${info.lines}`, value };
    }
  } catch (error) {
    if (!(error instanceof CsvError) && !(error instanceof TwinColumns)) throw error;
    throw new ScytheError("invalid_input", `${path}: not well-formed CSV: ${error.message}`, {
      hint: "Cells that hold a comma, quote or line break must be quoted; a quote inside is written twice.",
      cause: error,
    });
  }
}

class TwinColumns extends Error {}

/** Of two columns with one name, one would be lost without a word. */
function distinct(names: readonly string[]): string[] {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new TwinColumns(`two columns are named ${twice}`);
  return [...names];
}

/** A cell that does not look like its column's type is handed on as text, for the schema to refuse by name. */
function cellReader(column: Column): (cell: string) => unknown {
  if (!isScalarColumn(column)) {
    const revive = reviverOf(column.type) ?? ((value: unknown) => value);
    return (cell) => revive(jsonOr(cell));
  }
  switch (column.type.kind) {
    case "float64":
    case "int64":
      return (cell) => numberOr(cell);
    case "bigint":
      return (cell) => (/^\s*[+-]?\d+\s*$/.test(cell) ? BigInt(cell.trim().replace(/^\+/, "")) : cell);
    case "boolean":
      return (cell) => BOOLEANS.get(cell.trim().toLowerCase()) ?? cell;
    case "timestamp":
      return (cell) => new Date(utc(cell.trim()));
    default:
      return (cell) => cell;
  }
}

/** A time without a zone is UTC, as everything else in a run is; a bare day is UTC in JavaScript already. */
function utc(cell: string): string {
  const bare = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)$/.exec(cell);
  return bare ? `${bare[1]}T${bare[2]}Z` : cell;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map(
  Object.entries({ true: true, false: false, "1": true, "0": false, yes: true, no: false }),
);

function numberOr(cell: string): unknown {
  const text = cell.trim();
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : cell;
}

/** A field that the schema does not name: only its looks tell what it is. */
function looseCell(cell: string): unknown {
  return /^[01]$/.test(cell) ? Number(cell) : (BOOLEANS.get(cell) ?? numberOr(cell));
}

/** The value of `--set name=value`, by the same rules as a CSV cell. */
export function parseCell(column: Column | undefined, cell: string): unknown {
  return column ? cellReader(column)(cell) : looseCell(cell);
}

async function* readJsonLines(path: string, columns: readonly Column[]): AsyncGenerator<SpecRecord> {
  const revive = reviver(columns);
  let line = 0;
  for await (const raw of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    line++;
    const text = line === 1 ? raw.replace(/^\uFEFF/, "") : raw;
    if (text.trim() === "") continue;
    try {
      yield { at: `line ${line}`, value: revive(JSON.parse(text)) };
    } catch (error) {
      throw new ScytheError("invalid_input", `${path}: line ${line} is not JSON: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

/** DuckDB takes a buffer of twice this size. */
const MAX_JSON_SPEC = 32 * 2 ** 20;

/** One array of specs, or one spec; read as a stream by DuckDB, whose JSON reader holds one element at a time. */
async function* readJson(path: string, columns: readonly Column[]): AsyncGenerator<SpecRecord> {
  const revive = reviver(columns);
  const format = (await firstCharacter(path)) === "[" ? "array" : "unstructured";
  if (format === "array" && (await lastCharacter(path)) !== "]") throw notJson(path, "the array does not end");
  const options = `format = '${format}', maximum_object_size = ${MAX_JSON_SPEC}, hive_partitioning = false`;
  const sql = `SELECT json FROM read_json_objects(${pathSql(path)}, ${options})`;
  const batches = streamRows(sql);
  let row = 0;
  try {
    for await (const rows of batches) {
      for (const { json } of rows) yield { at: `row ${++row}`, value: revive(JSON.parse(json as string)) };
    }
  } catch (error) {
    if (error instanceof ScytheError) throw error;
    throw notJson(path, messageOf(error).split("\n")[0]!, error);
  }
}

function notJson(path: string, problem: string, cause?: unknown): ScytheError {
  return new ScytheError("invalid_input", `${path}: not well-formed JSON: ${problem}`, {
    hint: "Give one array of objects, one object, or a .jsonl file with an object a line.",
    cause,
  });
}

async function firstCharacter(path: string): Promise<string> {
  for await (const chunk of createReadStream(path, { end: 4096, encoding: "utf8" })) {
    const text = (chunk as string).replace(/^\uFEFF/, "").trimStart();
    if (text) return text[0]!;
  }
  throw new ScytheError("invalid_input", `${path} is empty`);
}

/** DuckDB takes an array that was cut short for a whole one. */
async function lastCharacter(path: string): Promise<string | undefined> {
  const { size } = await stat(path);
  let end = "";
  const tail = createReadStream(path, { start: Math.max(0, size - 4096), encoding: "latin1" });
  for await (const chunk of tail) end += chunk;
  return end.trimEnd().at(-1);
}

/** Hands rows out of a connection as a generator. */
async function* streamRows(sql: string): AsyncGenerator<Record<string, unknown>[]> {
  let release!: () => void;
  const done = new Promise<void>((resolve) => {
    release = resolve;
  });
  const opened = new Promise<AsyncIterable<Record<string, unknown>[]>>((resolve, reject) => {
    withConnection({ threads: 1 }, async (connection) => {
      resolve((await connection.stream(sql)).yieldRowObjectJs());
      await done;
    }).catch(reject);
  });
  try {
    yield* await opened;
  } finally {
    release();
  }
}

/** JSON has no dates and no 64-bit integers: ISO text and digits stand for them. */
function reviver(columns: readonly Column[]): (value: unknown) => unknown {
  return reviverOf({ kind: "struct", fields: [...columns] }) ?? ((value) => value);
}

/** Undefined when there is nothing to revive in a value of that type. */
function reviverOf(type: ColumnType): ((value: unknown) => unknown) | undefined {
  if (type.kind === "timestamp") return (value) => (typeof value === "string" ? new Date(value) : value);
  if (type.kind === "bigint") return bigintOr;
  if (type.kind === "list") {
    const inner = reviverOf(type.element);
    return inner && ((value) => (Array.isArray(value) ? value.map(inner) : value));
  }
  if (type.kind !== "struct") return undefined;
  const fields = type.fields.flatMap(({ name, type: own }) => {
    const revive = reviverOf(own);
    return revive ? [{ name, revive }] : [];
  });
  return fields.length === 0 ? undefined : (value) => reviveFields(value, fields);
}

function reviveFields(value: unknown, fields: readonly { name: string; revive: (value: unknown) => unknown }[]) {
  if (typeof value !== "object" || value === null) return value;
  const object = value as Record<string, unknown>;
  for (const { name, revive } of fields) if (name in object) object[name] = revive(object[name]);
  return object;
}

function bigintOr(value: unknown): unknown {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === "string" && /^-?\d+$/.test(value)) return BigInt(value);
  return value;
}

/** Nulls are left out, as a missing value; what pandas adds for its index is not a field. */
async function* readParquet(path: string, columns: readonly Column[]): AsyncGenerator<SpecRecord> {
  const reader = await ParquetReader.open(path);
  const codec = reader.metadata.row_groups.flatMap((group) => group.columns.map((c) => c.meta_data?.codec ?? ""));
  const unread = codec.find((name) => !["UNCOMPRESSED", "SNAPPY"].includes(name));
  try {
    if (unread) {
      throw new ScytheError("invalid_input", `${path} is compressed with ${unread}, which cannot be read here`, {
        hint: 'Write it with Snappy (pandas and DuckDB do by default; Polars: compression="snappy").',
      });
    }
    const known = new Map(columns.map((column) => [column.name, column]));
    const skipped = new Set<string>([...IGNORED_SPEC_COLUMNS, "__index_level_0__"]);
    const present: Column[] = reader.columnNames
      .filter((name) => name === "sort_index" || !skipped.has(name))
      .map((name) => known.get(name) ?? looseColumn(name))
      .map((column) => ({ ...column, optional: column.optional || !column.nullable }));
    const revive = reviver(columns);
    let row = 0;
    for await (const value of readRows(reader, present)) yield { at: `row ${++row}`, value: revive(value) };
  } finally {
    reader.close();
  }
}

function looseColumn(name: string): Column {
  return { name, type: { kind: "float64" }, nullable: true, optional: true, file: false };
}

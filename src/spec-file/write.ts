import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { link, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { diskFull, ScytheError } from "../errors.ts";
import { toJson } from "../json.ts";
import type { SpecBatch } from "../sampling/design/design.ts";
import type { Column } from "../schema/columns.ts";
import { type Batch, BatchBuilder, type ColumnData } from "../table/batch.ts";
import { ParquetFile } from "../table/write-parquet.ts";
import { ownedName } from "../temporary.ts";

/** What specs can be written as. */
export const SPEC_FILE_FORMATS = ["parquet", "csv", "jsonl"] as const;
export type SpecFileFormat = (typeof SPEC_FILE_FORMATS)[number];

const EXTENSIONS: Record<string, SpecFileFormat> = {
  ".parquet": "parquet",
  ".pq": "parquet",
  ".csv": "csv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
};

/** How a file of specs is written. */
export interface WriteSpecsOptions {
  /** Replaces a file that is there (default false: that is an error). */
  overwrite?: boolean;
}

interface SpecWriter {
  write(batch: SpecBatch): void;
  finish(): void;
  close(): void;
}

/** @throws ScytheError `invalid_input` for a file name with another extension */
export function specFileFormat(path: string): SpecFileFormat {
  const format = EXTENSIONS[extname(path).toLowerCase()];
  if (format) return format;
  throw new ScytheError("invalid_input", `${path}: specs are written as .parquet, .csv or .jsonl`, {
    hint: "Give the file one of these extensions.",
  });
}

/**
 * Writes specs to a table file that {@link readSpecFile} reads, a batch in memory at a time. The file appears when it is
 * whole.
 * @param columns types of the fields, as the experiment's schema has them
 * @returns rows written
 * @throws ScytheError `conflict` when the file is there already
 */
export async function writeSpecFile(
  path: string,
  columns: readonly Column[],
  batches: Iterable<SpecBatch>,
  { overwrite = false }: WriteSpecsOptions = {},
): Promise<number> {
  const format = specFileFormat(path);
  if (!overwrite) await assertFree(path);
  const unfinished = join(dirname(path), `.${basename(path)}.${ownedName()}`);
  const writer = openWriter(format, unfinished, columns);
  let rows = 0;
  try {
    for (const batch of batches) {
      writer.write(batch);
      rows += batch.rows;
    }
    writer.finish();
    await (overwrite ? rename(unfinished, path) : publish(unfinished, path));
  } finally {
    writer.close();
    await rm(unfinished, { force: true });
  }
  return rows;
}

async function assertFree(path: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there) throw taken(path);
}

function taken(path: string, cause?: unknown): ScytheError {
  return new ScytheError("conflict", `${path} is there already`, {
    hint: "Choose another name, or replace it by --overwrite.",
    cause,
  });
}

/** Gives a finished file its name, unless somebody else took it meanwhile. */
async function publish(unfinished: string, path: string): Promise<void> {
  try {
    await link(unfinished, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw taken(path, error);
    await assertFree(path); // a file system without hard links
    await rename(unfinished, path);
  }
}

function openWriter(format: SpecFileFormat, path: string, columns: readonly Column[]): SpecWriter {
  if (format === "parquet") return parquetWriter(path, columns);
  return new TextWriter(path, format === "csv" ? csvLines(columns) : jsonLines);
}

function parquetWriter(path: string, columns: readonly Column[]): SpecWriter {
  const written = columns.map(asWritten);
  const file = new ParquetFile(path, written);
  return {
    write: (batch) => file.write(batchOf(batch, written)),
    finish: () => file.finish(),
    close: () => file.close(),
  };
}

/** Whole numbers are integers in a file that is not ours alone. */
function asWritten(column: Column): Column {
  return column.type.kind === "int64" ? { ...column, type: { kind: "bigint" } } : column;
}

function batchOf({ rows, columns: given }: SpecBatch, columns: readonly Column[]): Batch {
  return {
    rows,
    columns: columns.map((column): ColumnData => {
      const values = given.find(({ name }) => name === column.name)?.values;
      if (values instanceof Float64Array) {
        if (column.type.kind !== "bigint") return { name: column.name, physical: "double", values };
        return { name: column.name, physical: "int64", values: BigInt64Array.from(values, BigInt) };
      }
      return built(column, values ?? new Array(rows).fill(null));
    }),
  };
}

function built(column: Column, values: readonly unknown[]): ColumnData {
  const builder = new BatchBuilder([column]);
  const whole = column.type.kind === "bigint";
  for (const value of values) {
    builder.append({ [column.name]: whole && typeof value === "number" ? BigInt(value) : value });
  }
  return builder.take().columns[0]!;
}

/** Lines of text, in pieces. */
class TextWriter implements SpecWriter {
  readonly #fd: number;
  readonly #lines: (batch: SpecBatch | undefined) => string;
  #closed = false;

  /** @param lines text of a batch; of undefined, what the file begins with */
  constructor(path: string, lines: (batch: SpecBatch | undefined) => string) {
    this.#fd = openSync(path, "wx");
    this.#lines = lines;
    this.#write(lines(undefined));
  }

  write(batch: SpecBatch): void {
    this.#write(this.#lines(batch));
  }

  finish(): void {
    fsyncSync(this.#fd);
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      throw diskFull(error, "Could not write the specs") ?? error;
    }
  }
}

/** CSV by RFC 4180. A missing value is an empty cell, an empty text is `""`. */
export function csvLines(columns: readonly Column[]): (batch: SpecBatch | undefined) => string {
  const names = columns.map(({ name }) => name);
  return (batch) => {
    if (!batch) return `${names.map(quoted).join(",")}\n`;
    const values = names.map((name) => batch.columns.find((column) => column.name === name)?.values);
    let text = "";
    for (let i = 0; i < batch.rows; i++) text += `${values.map((own) => csvCell(own?.[i])).join(",")}\n`;
    return text;
  };
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return quoted(value);
  return Object.is(value, -0) ? "-0" : String(value);
}

function quoted(text: string): string {
  return /[",\r\n]|^$|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function jsonLines(batch: SpecBatch | undefined): string {
  if (!batch) return "";
  let text = "";
  for (let i = 0; i < batch.rows; i++) {
    const fields = batch.columns.map(({ name, values }) => `${toJson(name)}:${jsonValue(values[i])}`);
    text += `{${fields.join(",")}}\n`;
  }
  return text;
}

function jsonValue(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  return Object.is(value, -0) ? "-0" : toJson(value ?? null);
}

import type { Column } from "../spec/columns.ts";
import { encoderOf, type Physical, physicalOf } from "./physical.ts";

/** One column's values for some rows; `nulls[i]` is 1 where row i has none. */
export interface ColumnData {
  name: string;
  physical: Physical;
  values: Float64Array | BigInt64Array | boolean[] | string[];
  nulls?: Uint8Array;
}

/** Rows as columns: what crosses a process boundary and what a Parquet file is written from. */
export interface Batch {
  rows: number;
  columns: ColumnData[];
}

const FIRST_CAPACITY = 256;

/** Grows a batch row by row. */
export class BatchBuilder {
  rows = 0;
  /** Rough size of the text in it, in characters: what typed columns do not tell. */
  textLength = 0;
  readonly #columns: GrowingColumn[];

  constructor(columns: readonly Column[]) {
    this.#columns = columns.map((column) => new GrowingColumn(column));
  }

  /** Adds one row; a field that is missing or null is null. */
  append(row: Record<string, unknown>): void {
    for (const column of this.#columns) this.textLength += column.append(row[column.name]);
    this.rows++;
  }

  /** The rows so far; the builder starts anew. */
  take(): Batch {
    const batch = { rows: this.rows, columns: this.#columns.map((column) => column.take()) };
    this.rows = 0;
    this.textLength = 0;
    return batch;
  }
}

class GrowingColumn {
  readonly name: string;
  readonly #physical: Physical;
  readonly #encode: (value: unknown) => unknown;
  #doubles = new Float64Array(0);
  #bigints = new BigInt64Array(0);
  #others: unknown[] = [];
  #nulls: Uint8Array | undefined;
  #length = 0;
  #capacity = 0;

  constructor(column: Column) {
    this.name = column.name;
    this.#physical = physicalOf(column.type);
    this.#encode = encoderOf(column.type);
  }

  /** Returns the characters of text added. */
  append(value: unknown): number {
    if (this.#length === this.#capacity) this.#grow();
    const at = this.#length++;
    if (value === null || value === undefined) {
      this.#nulls ??= new Uint8Array(this.#capacity);
      this.#nulls[at] = 1;
      if (this.#physical === "text") this.#others[at] = "";
      else if (this.#physical === "boolean") this.#others[at] = false;
      return 0;
    }
    if (this.#physical === "double") this.#doubles[at] = this.#encode(value) as number;
    else if (this.#physical === "int64") this.#bigints[at] = value as bigint;
    else this.#others[at] = this.#encode(value);
    return this.#physical === "text" ? (this.#others[at] as string).length : 0;
  }

  take(): ColumnData {
    const data = this.#data();
    if (this.#nulls) data.nulls = this.#nulls.slice(0, this.#length);
    this.#others = [];
    this.#nulls = undefined;
    this.#length = 0;
    return data;
  }

  #data(): ColumnData {
    const base = { name: this.name, physical: this.#physical };
    if (this.#physical === "double") return { ...base, values: this.#doubles.slice(0, this.#length) };
    if (this.#physical === "int64") return { ...base, values: this.#bigints.slice(0, this.#length) };
    return { ...base, values: this.#others as string[] };
  }

  #grow(): void {
    this.#capacity = Math.max(FIRST_CAPACITY, this.#capacity * 2);
    if (this.#physical === "double") this.#doubles = copyInto(new Float64Array(this.#capacity), this.#doubles);
    if (this.#physical === "int64") this.#bigints = copyInto(new BigInt64Array(this.#capacity), this.#bigints);
    if (this.#nulls) this.#nulls = copyInto(new Uint8Array(this.#capacity), this.#nulls);
  }
}

function copyInto<T extends { set(from: T): void }>(to: T, from: T): T {
  to.set(from);
  return to;
}

/** Batches of the same columns, one after the other. */
export function concatBatches(batches: readonly Batch[], columns: readonly Column[]): Batch {
  if (batches.length === 1) return batches[0]!;
  if (batches.length === 0) return new BatchBuilder(columns).take();
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  return { rows, columns: batches[0]!.columns.map((_, i) => concatColumns(batches, i, rows)) };
}

function concatColumns(batches: readonly Batch[], index: number, rows: number): ColumnData {
  const parts = batches.map((batch) => batch.columns[index]!);
  const { name, physical } = parts[0]!;
  const result: ColumnData = { name, physical, values: concatValues(physical, parts, rows) };
  if (parts.some((part) => part.nulls)) {
    result.nulls = new Uint8Array(rows);
    let at = 0;
    for (const part of parts) {
      if (part.nulls) result.nulls.set(part.nulls, at);
      at += part.values.length;
    }
  }
  return result;
}

function concatValues(physical: Physical, parts: readonly ColumnData[], rows: number): ColumnData["values"] {
  if (physical !== "double" && physical !== "int64") return parts.flatMap((part) => part.values as string[]);
  const values = physical === "double" ? new Float64Array(rows) : new BigInt64Array(rows);
  let at = 0;
  for (const part of parts) {
    (values as Float64Array).set(part.values as Float64Array, at);
    at += part.values.length;
  }
  return values;
}

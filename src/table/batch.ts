import type { Column } from "../schema/columns.ts";
import { mergedSize } from "./memory-budget.ts";
import { encoderOf, type Physical, physicalOf } from "./physical.ts";

/** One column's values for some rows; `nulls[i]` is 1 where row i is null. */
export interface ColumnData {
  name: string;
  physical: Physical;
  values: Float64Array | BigInt64Array | boolean[] | string[];
  nulls?: Uint8Array;
}

/** Rows as columns: the form in which rows cross process boundaries and are written to Parquet. */
export interface Batch {
  rows: number;
  columns: ColumnData[];
}

const FIRST_CAPACITY = 256;

/** Builds a batch row by row. */
export class BatchBuilder {
  rows = 0;
  /** Approximate size of its text, in characters; typed columns are not counted. */
  textLength = 0;
  #markedRows = 0;
  #markedText = 0;
  readonly #columns: GrowingColumn[];

  constructor(columns: readonly Column[]) {
    this.#columns = columns.map((column) => new GrowingColumn(column));
  }

  /** Adds one row; a missing field is null. */
  append(row: Record<string, unknown>): void {
    for (const column of this.#columns) {
      const isOwn = !column.isInherited || Object.hasOwn(row, column.name);
      this.textLength += column.append(isOwn ? row[column.name] : undefined);
    }
    this.rows++;
  }

  /** Remembers this state for {@link takeBack}: a row that cannot be added completely must leave nothing behind. */
  mark(): void {
    this.#markedRows = this.rows;
    this.#markedText = this.textLength;
  }

  /** Characters of text since the mark. */
  get textSinceMark(): number {
    return this.textLength - this.#markedText;
  }

  /** Memory that merging the largest row since the mark takes, in bytes of text. */
  largestSinceMark(): number {
    let largest = 0;
    for (let row = this.#markedRows; row < this.rows; row++) {
      largest = Math.max(
        largest,
        this.#columns.reduce((sum, column) => sum + column.mergedSize(row), 0),
      );
    }
    return largest;
  }

  takeBack(): void {
    for (const column of this.#columns) column.truncate(this.#markedRows);
    this.rows = this.#markedRows;
    this.textLength = this.#markedText;
  }

  /** Returns the rows so far and empties the builder. */
  take(): Batch {
    const batch = { rows: this.rows, columns: this.#columns.map((column) => column.take()) };
    this.rows = 0;
    this.textLength = 0;
    return batch;
  }
}

class GrowingColumn {
  readonly name: string;
  /** Every object has such a property (`constructor`), its own or inherited. */
  readonly isInherited: boolean;
  readonly #physical: Physical;
  readonly #isNested: boolean;
  readonly #encode: (value: unknown) => unknown;
  #doubles = new Float64Array(0);
  #bigints = new BigInt64Array(0);
  #others: unknown[] = [];
  #nulls: Uint8Array | undefined;
  #length = 0;
  #capacity = 0;

  constructor(column: Column) {
    this.name = column.name;
    this.isInherited = column.name in Object.prototype;
    this.#physical = physicalOf(column.type);
    this.#isNested = column.type.kind === "list" || column.type.kind === "struct";
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

  mergedSize(row: number): number {
    return this.#physical === "text" ? mergedSize(this.#others[row] as string, this.#isNested) : 0;
  }

  truncate(length: number): void {
    this.#length = length;
    this.#nulls?.fill(0, length);
    this.#others.length = Math.min(this.#others.length, length);
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

/** Concatenates batches of the same columns. */
export class BatchAccumulator {
  rows = 0;
  readonly #columns: AccumulatingColumn[];

  constructor(columns: readonly Column[]) {
    this.#columns = columns.map((column) => new AccumulatingColumn(column.name, physicalOf(column.type)));
  }

  add(batch: Batch): void {
    for (let i = 0; i < this.#columns.length; i++) this.#columns[i]!.add(batch.columns[i]!, this.rows);
    this.rows += batch.rows;
  }

  /** All rows so far, as views into the accumulator, valid until it is used again. */
  view(): Batch {
    return { rows: this.rows, columns: this.#columns.map((column) => column.view(this.rows)) };
  }

  /** Drops the rows and keeps the buffers: many megabytes are expensive to allocate again. */
  clear(): void {
    this.rows = 0;
    for (const column of this.#columns) column.clear();
  }
}

class AccumulatingColumn {
  readonly #name: string;
  readonly #physical: Physical;
  #numbers: Float64Array | BigInt64Array | undefined;
  #others: unknown[] = [];
  #nulls: Uint8Array | undefined;

  constructor(name: string, physical: Physical) {
    this.#name = name;
    this.#physical = physical;
    if (physical === "double") this.#numbers = new Float64Array(0);
    if (physical === "int64") this.#numbers = new BigInt64Array(0);
  }

  add({ values, nulls }: ColumnData, at: number): void {
    const end = at + values.length;
    if (this.#numbers) {
      this.#numbers = grown(this.#numbers as Float64Array, end);
      (this.#numbers as Float64Array).set(values as Float64Array, at);
    } else {
      for (const value of values as string[]) this.#others.push(value);
    }
    if (!nulls && !this.#nulls) return;
    this.#nulls = grown(this.#nulls ?? new Uint8Array(at), end);
    if (nulls) this.#nulls.set(nulls, at);
    else this.#nulls.fill(0, at, end);
  }

  view(rows: number): ColumnData {
    const values = this.#numbers ? this.#numbers.subarray(0, rows) : (this.#others as string[]);
    const data: ColumnData = { name: this.#name, physical: this.#physical, values };
    if (this.#nulls) data.nulls = grown(this.#nulls, rows).subarray(0, rows);
    return data;
  }

  clear(): void {
    this.#others = [];
    this.#nulls = undefined;
  }
}

/** The array itself if it has room for `length` values, otherwise a larger copy. */
function grown<T extends Float64Array | Uint8Array>(array: T, length: number): T {
  if (array.length >= length) return array;
  const larger = new (array.constructor as new (length: number) => T)(Math.max(length, 2 * array.length, 1_024));
  larger.set(array as never);
  return larger;
}

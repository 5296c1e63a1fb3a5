import { ByteWriter } from "hyparquet-writer";
import type { AnyExperiment } from "../../experiment/define.ts";
import { type IndexShape, type PartColumns, partColumns } from "../../scatter/part-columns.ts";
import { BatchAccumulator } from "../../table/batch.ts";

/** Larger buffers are released: one chunk of large rows must not hold memory until the end. */
const MAX_KEPT = 64 * 2 ** 20;

/** Buffers for the rows of one chunk, reused for the next: V8 is slow to free memory outside its heap. */
export class PartBuffers {
  readonly ok: BatchAccumulator;
  readonly errors: BatchAccumulator;
  readonly tables: Record<string, BatchAccumulator>;
  /** The record of output files. */
  readonly files: BatchAccumulator;
  readonly bytes = new ByteWriter(65_536);

  constructor(columns: PartColumns) {
    this.ok = new BatchAccumulator(columns.rows);
    this.errors = new BatchAccumulator(columns.errors);
    this.tables = Object.fromEntries(
      Object.entries(columns.tables).map(([name, own]) => [name, new BatchAccumulator(own)]),
    );
    this.files = new BatchAccumulator(columns.files);
  }

  get isLarge(): boolean {
    return this.bytes.buffer.byteLength > MAX_KEPT;
  }

  clear(): void {
    for (const rows of [this.ok, this.errors, this.files, ...Object.values(this.tables)]) rows.clear();
  }
}

/** A pool of buffers, as many as concurrent chunks. */
export class BufferPool {
  readonly #free = new Map<string, PartBuffers[]>();

  async use<T>(experiment: AnyExperiment, index: IndexShape, work: (buffers: PartBuffers) => Promise<T>): Promise<T> {
    const shape = [
      experiment.name,
      ...index.extra_columns.map(({ name, type }) => `${name}:${type.kind}`),
      index.union_columns,
    ].join("\0");
    const free = this.#free.get(shape) ?? [];
    this.#free.set(shape, free);
    const buffers = free.pop() ?? new PartBuffers(partColumns(experiment, index));
    try {
      return await work(buffers);
    } finally {
      buffers.clear(); // releases text that would be held until the next chunk
      if (!buffers.isLarge) free.push(buffers);
    }
  }
}

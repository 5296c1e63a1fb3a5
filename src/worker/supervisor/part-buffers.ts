import { ByteWriter } from "hyparquet-writer";
import type { AnyExperiment } from "../../experiment/define.ts";
import { type IndexShape, type PartColumns, partColumns } from "../../scatter/part-columns.ts";
import { BatchAccumulator } from "../../table/batch.ts";

/** Room beyond this is given back: one chunk of large rows must not hold it until the end. */
const MOST_KEPT = 64 * 2 ** 20;

/** Room for the rows of one chunk, used again for the next: V8 is slow to notice megabytes outside of its heap. */
export class PartBuffers {
  readonly ok: BatchAccumulator;
  readonly errors: BatchAccumulator;
  readonly tables: Record<string, BatchAccumulator>;
  /** What is recorded of the output files. */
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
    return this.bytes.buffer.byteLength > MOST_KEPT;
  }

  clear(): void {
    for (const rows of [this.ok, this.errors, this.files, ...Object.values(this.tables)]) rows.clear();
  }
}

/** Lends buffers to chunks; there are as many as chunks at once. */
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
      buffers.clear(); // text would be held until the next chunk
      if (!buffers.isLarge) free.push(buffers);
    }
  }
}

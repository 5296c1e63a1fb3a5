import type { Readable } from "node:stream";
import type { Column } from "./schema/columns.ts";
import { type ReadOptions, SpecReader, type SpecRecord, type TextFormat } from "./spec-file/source.ts";

/**
 * Specs that a stream holds as text, for `allocate`: read when they are wanted, once.
 * @param options.name for messages: where the stream comes from
 * @param options.format what it holds; found out from its start when left out
 */
export function readSpecs(stream: Readable, options: { name: string; format?: TextFormat | undefined }): SpecReader {
  return new StreamedSpecs(stream, options);
}

class StreamedSpecs extends SpecReader {
  readonly #stream: Readable;
  readonly #options: { name: string; format?: TextFormat | undefined };

  constructor(stream: Readable, options: { name: string; format?: TextFormat | undefined }) {
    super();
    this.#stream = stream.on("error", () => undefined); // it comes out of the reading
    this.#options = options;
  }

  async *read(columns: readonly Column[], options?: ReadOptions): AsyncGenerator<SpecRecord> {
    const { SpecStream } = await import("./spec-file/read.ts");
    yield* new SpecStream(this.#stream, this.#options.name, this.#options.format).read(columns, options);
  }
}

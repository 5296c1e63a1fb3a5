import { rm } from "node:fs/promises";
import type { RunLayout } from "../run/layout.ts";
import { readManifest } from "../run/manifest.ts";
import type { Column } from "../schema/columns.ts";
import { readSpecFile } from "../spec-file/read.ts";
import { type ReadOptions, SpecReader, type SpecRecord } from "../spec-file/source.ts";
import { localCopy } from "../storage/local-copy.ts";
import type { Storage } from "../storage/storage.ts";
import { makeScratch } from "../temporary.ts";

/**
 * The specs of a run, to run again with other code: without ids, and with references to the files' current location.
 */
export class RunSpecs extends SpecReader {
  readonly #storage: Storage;
  readonly #layout: RunLayout;

  constructor(storage: Storage, layout: RunLayout) {
    super();
    this.#storage = storage;
    this.#layout = layout;
  }

  async *read(columns: readonly Column[], options?: ReadOptions): AsyncGenerator<SpecRecord> {
    const manifest = await readManifest(this.#storage, this.#layout);
    const written = /^(.+\/)specs\.pq$/.exec(manifest.specs_uri)?.[1]; // its location when it was allocated
    const now = this.#storage.uriOf(this.#layout.key(""));
    const moved = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(moved);
      const inRun = written !== undefined && typeof value === "string" && value.startsWith(written);
      return inRun ? now + value.slice(written.length) : value;
    };
    const files = columns.filter((column) => column.file).map(({ name }) => name);
    const scratch = await makeScratch("specs-of");
    try {
      const path = await localCopy(this.#storage, this.#layout.specs, scratch);
      for await (const { at, value } of readSpecFile(path, columns, options)) {
        const spec = value as Record<string, unknown>;
        for (const name of files) spec[name] = moved(spec[name]);
        yield { at: `${this.#layout.experimentId}, ${at}`, value: spec };
      }
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
}

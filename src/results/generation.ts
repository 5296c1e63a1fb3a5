import { type FileMetaData, parquetMetadataAsync } from "hyparquet";
import { ScytheError } from "../errors.ts";
import type { RunLayout } from "../run/layout.ts";
import { type Report, readReport } from "../run/report.ts";
import type { Storage } from "../storage/storage.ts";
import { ParquetReader } from "../table/read-parquet.ts";
import { finalKeys } from "./table-files.ts";

/** Prevents mixing tables of two generations. A retry replaces the files of `final/` one by one and the report last. */
export class GenerationCheck {
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #report: Report | undefined;

  /** @param report undefined for a run of Python Scythe, which has no generations */
  constructor(storage: Storage, layout: RunLayout, report: Report | undefined) {
    this.#storage = storage;
    this.#layout = layout;
    this.#report = report;
  }

  /** @throws ScytheError `conflict` unless the table is of the report's generation */
  async table(name: string, metadata: FileMetaData): Promise<void> {
    const generation = generationOf(metadata);
    if (!this.#report || generation === undefined || generation === this.#report.generation) return;
    const { experimentId } = this.#layout;
    const now = await readReport(this.#storage, this.#layout);
    if (now && now.generation !== this.#report.generation) {
      throw new ScytheError("conflict", `Run ${experimentId} was retried since its results were opened`, {
        hint: "Open them again.",
      });
    }
    throw new ScytheError(
      "conflict",
      `Run ${experimentId} is between two generations: final/${name}.pq is of generation ${generation}, the report of ${this.#report.generation}`,
      {
        hint: `Its retry is publishing its tables: try again in a moment. If its driver has died: scythe resume ${experimentId}`,
      },
    );
  }

  /** @param paths table name → local file */
  async localTables(paths: ReadonlyMap<string, string>): Promise<void> {
    if (!this.#report) return;
    for (const [name, path] of paths) {
      const reader = await ParquetReader.open(path);
      reader.close();
      await this.table(name, reader.metadata);
    }
  }

  /** Checks the files in storage, by their metadata. */
  async storedTables(): Promise<void> {
    for (const [name, key] of await finalKeys(this.#storage, this.#layout)) {
      const size = (await this.#storage.head(key))?.size ?? 0;
      const slice = async (start: number, end = size) =>
        new Uint8Array(await this.#storage.getRange(key, start, end)).buffer;
      const metadata = await parquetMetadataAsync({ byteLength: size, slice });
      await this.table(name, metadata);
    }
  }
}

/** Undefined for a file without this metadata. */
function generationOf(metadata: FileMetaData): number | undefined {
  const own = metadata.key_value_metadata?.find(({ key }) => key === "scythe")?.value;
  return own === undefined ? undefined : (JSON.parse(own) as { generation?: number }).generation;
}

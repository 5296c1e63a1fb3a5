import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { AnyExperiment } from "../../experiment/define.ts";
import { hashFile } from "../../files/artifacts.ts";
import { tableColumns } from "../../results/file-columns.ts";
import type { RunLayout } from "../../run/layout.ts";
import { ERRORS, errorNamesAmong } from "../../scatter/final-layout.ts";
import type { Column } from "../../schema/columns.ts";
import type { Storage } from "../../storage/storage.ts";
import type { ParquetReader } from "../../table/read-parquet.ts";
import { makeScratch } from "../../temporary.ts";
import { rowsOfSpec } from "./spec-rows.ts";

export interface StoredError {
  kind: string;
  name: string;
  message: string;
  attempts: number;
}

/** An output file as the run holds it; a reference that leads elsewhere has no hash. */
export interface StoredFile {
  uri: string;
  sha256: string | null;
}

/** How a spec came out in its run. */
export interface StoredOutcome {
  status: "succeeded" | "failed" | "unknown";
  output: Record<string, unknown>;
  files: Record<string, StoredFile[]>;
  tables: Record<string, Record<string, unknown>[]>;
  error: StoredError | null;
}

/** What the run's tables hold of one spec; `unknown` while it has no row. */
export async function storedOutcome(
  storage: Storage,
  layout: RunLayout,
  experiment: AnyExperiment,
  sortIndex: number,
): Promise<StoredOutcome> {
  const scratch = await makeScratch("stored");
  try {
    const reader = new OutcomeReader(storage, layout, experiment, sortIndex, scratch);
    return (await reader.succeeded()) ?? (await reader.failed()) ?? reader.nothing("unknown");
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

class OutcomeReader {
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #experiment: AnyExperiment;
  readonly #sortIndex: number;
  readonly #scratch: string;

  constructor(storage: Storage, layout: RunLayout, experiment: AnyExperiment, sortIndex: number, scratch: string) {
    this.#storage = storage;
    this.#layout = layout;
    this.#experiment = experiment;
    this.#sortIndex = sortIndex;
    this.#scratch = scratch;
  }

  nothing(status: StoredOutcome["status"]): StoredOutcome {
    return { status, output: {}, files: {}, tables: {}, error: null };
  }

  async succeeded(): Promise<StoredOutcome | undefined> {
    const { scalars, files, tables } = this.#experiment.columns as AnyExperiment["columns"];
    const [output] = await this.#rows("scalars", () => scalars);
    if (!output) return undefined;
    const outcome: StoredOutcome = { ...this.nothing("succeeded"), output };
    const [refs] = files.length > 0 ? await this.#rows("result_file_refs", () => files) : [];
    for (const { name } of files) {
      const value = refs?.[name];
      const uris = (Array.isArray(value) ? value : [value]).filter((uri): uri is string => typeof uri === "string");
      if (value !== undefined && value !== null)
        outcome.files[name] = await Promise.all(uris.map((u) => this.#file(u)));
    }
    for (const [name, columns] of Object.entries(tables as Record<string, Column[]>)) {
      outcome.tables[name] = await this.#rows(name, () => columns);
    }
    return outcome;
  }

  async failed(): Promise<StoredOutcome | undefined> {
    let columns: readonly string[] = [];
    const [row] = await this.#rows(ERRORS, (reader) => {
      columns = reader.columnNames;
      return tableColumns(reader, this.#experiment, ERRORS);
    });
    if (!row) return undefined;
    const names = errorNamesAmong(columns);
    const error = {
      kind: String(row[names.kind]),
      name: String(row[names.name]),
      message: String(row[names.message]),
      attempts: Number(row[names.attempts]),
    };
    return { ...this.nothing("failed"), error };
  }

  async #rows(
    table: string,
    columnsOf: (reader: ParquetReader) => readonly Column[],
  ): Promise<Record<string, unknown>[]> {
    const key = this.#layout.finalTable(table);
    if (!(await this.#storage.head(key))) return [];
    const path = this.#storage.localPath?.(key) ?? join(this.#scratch, `${table}.pq`);
    if (!this.#storage.localPath) await this.#storage.getFile(key, path);
    return rowsOfSpec(path, this.#sortIndex, columnsOf);
  }

  async #file(uri: string): Promise<StoredFile> {
    const inRun = this.#layout.pathOf(uri);
    const key = inRun === undefined ? undefined : this.#layout.key(inRun);
    if (key === undefined || !(await this.#storage.head(key))) return { uri, sha256: null };
    if (this.#storage.localPath) return { uri, sha256: await hashFile(this.#storage.localPath(key)) };
    const copy = join(this.#scratch, "files", inRun!.replaceAll("/", "_"));
    await mkdir(join(this.#scratch, "files"), { recursive: true });
    await this.#storage.getFile(key, copy);
    return { uri, sha256: await hashFile(copy) };
  }
}

import { ScytheError } from "../../errors.ts";
import type { AnyExperiment } from "../../experiment/define.ts";
import { hashFile } from "../../files/artifacts.ts";
import { tableColumns } from "../../results/file-columns.ts";
import type { RunLayout } from "../../run/layout.ts";
import type { ManifestDetails } from "../../run/manifest.ts";
import { ERRORS, errorNamesAmong } from "../../scatter/final-columns.ts";
import type { Column } from "../../schema/columns.ts";
import { localCopy, withLocalCopy } from "../../storage/local-copy.ts";
import type { Storage } from "../../storage/storage.ts";
import { decoderOf } from "../../table/physical.ts";
import { ParquetReader, rowAt } from "../../table/read-parquet.ts";
import { withScratch } from "../../temporary.ts";

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

/**
 * What a spec asks, by the run's `specs.pq`.
 * @throws ScytheError `not_found` for a spec that the run has not, `conflict` where the experiment has other inputs now
 */
export async function storedSpec(
  storage: Storage,
  layout: RunLayout,
  experiment: AnyExperiment,
  { extra_columns }: ManifestDetails,
  sortIndex: number,
): Promise<Record<string, unknown>> {
  const columns: Column[] = [...experiment.columns.input, ...extra_columns];
  const [spec] = await withScratch("stored", async (scratch) =>
    rowsOfSpec(await localCopy(storage, layout.specs, scratch), sortIndex, (reader) => {
      const lacking = columns.find((column) => !reader.columnNames.includes(column.name));
      if (lacking) throw otherSchema(experiment, layout, lacking.name);
      return columns;
    }),
  );
  if (spec) return spec;
  throw new ScytheError("not_found", `Run ${layout.experimentId} has no spec ${sortIndex}`, {
    hint: "Give the sort_index of one of its rows, in results or errors.",
  });
}

function otherSchema(experiment: AnyExperiment, layout: RunLayout, column: string): ScytheError {
  return new ScytheError(
    "conflict",
    `specs.pq of ${layout.experimentId} has no ${column}, which ${experiment.name} asks for`,
    {
      hint: "The experiment's input has changed since. Go back to the code of the run (`scythe lineage` names it).",
    },
  );
}

/** What the run's tables hold of one spec; `unknown` while it has no row. */
export async function storedOutcome(
  storage: Storage,
  layout: RunLayout,
  experiment: AnyExperiment,
  sortIndex: number,
): Promise<StoredOutcome> {
  return withScratch("stored", async (scratch) => {
    const reader = new OutcomeReader(storage, layout, experiment, sortIndex, scratch);
    return (await reader.succeeded()) ?? (await reader.failed()) ?? reader.nothing("unknown");
  });
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
    const path = await localCopy(this.#storage, key, this.#scratch);
    return rowsOfSpec(path, this.#sortIndex, columnsOf);
  }

  async #file(uri: string): Promise<StoredFile> {
    const inRun = this.#layout.pathOf(uri);
    const key = inRun === undefined ? undefined : this.#layout.key(inRun);
    if (key === undefined || !(await this.#storage.head(key))) return { uri, sha256: null };
    return { uri, sha256: await withLocalCopy(this.#storage, key, this.#scratch, hashFile) };
  }
}

/**
 * The rows of one spec in a table on this machine, values as the schema gave them.
 * @param columnsOf which columns, seen those that the file has
 */
async function rowsOfSpec(
  path: string,
  sortIndex: number,
  columnsOf: (reader: ParquetReader) => readonly Column[],
): Promise<Record<string, unknown>[]> {
  const reader = await ParquetReader.open(path);
  try {
    const columns = columnsOf(reader);
    const rows: Record<string, unknown>[] = [];
    for (const group of reader.rowGroups()) {
      const ids = (await reader.read(["sort_index"], group.from, group.to)).get("sort_index")!;
      for (let i = 0; i < ids.length; i++) {
        if (Number(ids[i]) === sortIndex) rows.push(await oneRow(reader, columns, group.from + i));
      }
    }
    return rows;
  } finally {
    reader.close();
  }
}

async function oneRow(reader: ParquetReader, columns: readonly Column[], at: number): Promise<Record<string, unknown>> {
  const names = columns.map((column) => column.name);
  const data = await reader.read(names, at, at + 1);
  const values = names.map((name) => data.get(name)!);
  return rowAt(
    names,
    columns.map((column) => decoderOf(column.type)),
    columns,
    values,
    0,
  );
}

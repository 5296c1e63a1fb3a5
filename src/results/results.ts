import { fileURLToPath } from "node:url";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { didYouMean } from "../known-keys.ts";
import type { RunLayout } from "../run/layout.ts";
import { isComplete, type Report, readReport } from "../run/report.ts";
import { readState } from "../run/state.ts";
import { FILE_REFS } from "../scatter/final-layout.ts";
import type { Storage } from "../storage/storage.ts";
import { GenerationCheck } from "./generation.ts";
import { type PartialResults, PartialTables } from "./partial-tables.ts";
import { type Answer, queryTables } from "./query.ts";
import type { ErrorRow, ScalarRow, TableName, TableRow } from "./rows.ts";
import { FinalFiles, finalKeys, type TableFiles } from "./table-files.ts";
import { TableReader } from "./table-reader.ts";

/** A file that a spec produced. */
export interface ResultFile {
  sortIndex: number;
  field: string;
  uri: string;
  /** Path on this machine; undefined for a file that lies elsewhere. */
  path: string | undefined;
}

export interface OpenResultsOptions {
  /** Of a run that is not complete, the rows that stand by now; else such a run has no results. */
  partial?: boolean;
}

/** The tables of a run: finished, or `partial`. */
export class Results<E extends AnyExperiment = AnyExperiment> {
  readonly experimentId: string;
  /** Undefined for a run of Python Scythe. */
  readonly report: Report | undefined;
  /** How much of the run the tables hold; undefined for finished ones. */
  readonly partial: PartialResults | undefined;
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #experiment: E | undefined;
  readonly #generation: GenerationCheck;
  readonly #files: TableFiles;

  /** @param unfinished the tables of a run that is not complete */
  constructor(
    storage: Storage,
    layout: RunLayout,
    report: Report | undefined,
    experiment: E | undefined,
    unfinished?: PartialTables,
  ) {
    this.#storage = storage;
    this.#layout = layout;
    this.#experiment = experiment;
    this.report = report;
    this.#generation = new GenerationCheck(storage, layout, report);
    this.#files = unfinished ?? new FinalFiles(storage, layout, report);
    this.partial = unfinished?.partial;
    this.experimentId = layout.experimentId;
  }

  /** Names of the tables that can be read and queried. */
  listTables(): Promise<string[]> {
    return this.#files.names();
  }

  /** Table name → URI of its Parquet file, as Python Scythe's `list_results_files`; partial results have no files yet. */
  async listResultsFiles(): Promise<Record<string, string>> {
    if (this.partial) return {};
    const names = await this.#files.names();
    return Object.fromEntries(names.map((name) => [name, this.#storage.uriOf(this.#layout.finalTable(name))]));
  }

  /** Good rows, in order of `sort_index`, one row group in memory at a time; file outputs are URIs. */
  async *rows(): AsyncGenerator<ScalarRow<E>> {
    for await (const row of this.#read("scalars")) yield row as ScalarRow<E>;
  }

  /** Rows of one of the experiment's own tables. */
  async *table<N extends TableName<E>>(name: N): AsyncGenerator<TableRow<E, N>> {
    for await (const row of this.#read(name)) yield row as TableRow<E, N>;
  }

  /** Specs that failed, and why. */
  async *errors(): AsyncGenerator<ErrorRow<E>> {
    for await (const row of this.#read("errors")) yield row as ErrorRow<E>;
  }

  /** Output files one after the other, for a data loader. @param field one field only */
  async *files(field?: string): AsyncGenerator<ResultFile> {
    if (!(await this.#files.names()).includes("result_file_refs")) return;
    const scalars = await this.open("scalars");
    try {
      const fields = scalars.fileFields.filter((name) => field === undefined || name === field);
      for await (const row of scalars.rows()) {
        for (const name of fields) {
          const value = row[name];
          for (const uri of (Array.isArray(value) ? value : [value]) as (string | null | undefined)[]) {
            if (uri) yield { sortIndex: row.sort_index as number, field: name, uri, path: await this.#pathOf(uri) };
          }
        }
      }
    } finally {
      await scalars.close();
    }
  }

  /** A table with the names of its columns; `scalars` with the file outputs. Close it when done. */
  async open(table: string): Promise<TableReader> {
    const names = await this.#files.names();
    if (!names.includes(table)) {
      throw new ScytheError("not_found", `Run ${this.experimentId} has no table ${table}${didYouMean(table, names)}`, {
        hint: `It has: ${names.join(", ")}.`,
      });
    }
    const wanted = table === "scalars" && names.includes(FILE_REFS) ? [table, FILE_REFS] : [table];
    return TableReader.open(await this.#files.open(wanted), table, this.#experiment, (name, { metadata }) =>
      this.#generation.table(name, metadata),
    );
  }

  /**
   * SQL (DuckDB's) over `scalars`, `errors`, `result_file_refs` and the experiment's tables.
   * The query reads those alone: no files, no network.
   */
  async query<R = Record<string, unknown>>(sql: string): Promise<R[]> {
    return (await this.select(sql)).rows as R[];
  }

  /** {@link query} with the names of the columns, which a query without rows has, too. */
  async select(sql: string): Promise<Answer> {
    const files = await this.#files.open(await this.#files.names());
    try {
      await this.#generation.localTables(files.paths);
      const answer = await queryTables(files.paths, sql);
      await this.#generation.localTables(files.paths); // in place, they may have been replaced under the query
      return answer;
    } finally {
      await files.close();
    }
  }

  async *#read(table: string): AsyncGenerator<Record<string, unknown>> {
    const reader = await this.open(table);
    try {
      yield* reader.rows();
    } finally {
      await reader.close();
    }
  }

  /** A downloaded run has its files beside it, though its tables name the place they came from. */
  async #pathOf(uri: string): Promise<string | undefined> {
    const path = this.#storage.keyOf(uri) === undefined ? this.#layout.pathOf(uri) : undefined;
    if (path !== undefined && this.#storage.localPath) {
      const key = this.#layout.key(path);
      if (await this.#storage.head(key)) return this.#storage.localPath(key);
    }
    return uri.startsWith("file://") ? fileURLToPath(uri) : undefined;
  }
}

/**
 * While failed specs run again, the tables are those of the generation before.
 * @throws ScytheError `not_found` when the run has never been complete; `conflict` in the moment in which a retry
 *   replaces the tables
 */
export async function openResults<E extends AnyExperiment>(
  storage: Storage,
  layout: RunLayout,
  experiment?: E,
  options: OpenResultsOptions = {},
): Promise<Results<E>> {
  const report = await readReport(storage, layout);
  if (!report && !(await isForeign(storage, layout))) {
    if (options.partial) {
      return new Results(storage, layout, undefined, experiment, await PartialTables.open(storage, layout, experiment));
    }
    throw new ScytheError("not_found", `Run ${layout.experimentId} is not complete`, {
      hint: "`scythe results` shows what is done so far; in code: openResults({ partial: true }).",
    });
  }
  if (report && !isComplete(await readState(storage, layout), report)) {
    await new GenerationCheck(storage, layout, report).storedTables();
  }
  return new Results(storage, layout, report, experiment);
}

/** A run of Python Scythe has tables and no report. Tables of ours without one may be half of a set. */
async function isForeign(storage: Storage, layout: RunLayout): Promise<boolean> {
  if (await readState(storage, layout)) return false;
  return (await finalKeys(storage, layout)).size > 0;
}

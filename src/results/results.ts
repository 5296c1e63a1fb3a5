import { fileURLToPath } from "node:url";
import type { DescribeOptions, Description } from "../analysis/describe.ts";
import type { RunTables } from "../analysis/run-tables.ts";
import type { SensitivityOptions } from "../analysis/sensitivity.ts";
import type { Sensitivity } from "../analysis/sensitivity-result.ts";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { didYouMean } from "../known-keys.ts";
import type { RunLayout } from "../run/layout.ts";
import { readManifest } from "../run/manifest.ts";
import { isComplete, type Report, readReport } from "../run/report.ts";
import { readState } from "../run/state.ts";
import { ERRORS, FILE_REFS, SCALARS } from "../scatter/final-columns.ts";
import type { Storage } from "../storage/storage.ts";
import { type FailedSpec, type FailureOptions, type FailureSummary, failedSpecs, groupFailures } from "./failures.ts";
import { GenerationCheck } from "./generation.ts";
import { type PartialResults, PartialTables } from "./partial-tables.ts";
import { type Answer, queryTables } from "./query.ts";
import type { ErrorRow, ScalarRow, TableName, TableRow } from "./rows.ts";
import { FinalFiles, finalKeys, type TableFiles } from "./table-files.ts";
import { inOrder } from "./table-order.ts";
import { TableReader } from "./table-reader.ts";

/** An output file of a spec. */
export interface ResultFile {
  sortIndex: number;
  field: string;
  uri: string;
  /** Local path; undefined for a file elsewhere. */
  path: string | undefined;
}

/** A table of a run. Null is what is not known: of a run of Python Scythe, or before the run is complete. */
export interface ResultTable {
  name: string;
  rows: number | null;
  bytes: number | null;
  /** Of its Parquet file; null while the run is not complete. */
  uri: string | null;
}

/** Which results to open. */
export interface OpenResultsOptions {
  /** For an incomplete run, open the rows that exist so far. Otherwise such a run has no results. */
  partial?: boolean;
}

/** The tables of a run: final, or `partial`. */
export class Results<E extends AnyExperiment = AnyExperiment> {
  readonly experimentId: string;
  /** Undefined for a run of Python Scythe. */
  readonly report: Report | undefined;
  /** How much of the run the tables contain; undefined for final tables. */
  readonly partial: PartialResults | undefined;
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #experiment: E | undefined;
  readonly #generation: GenerationCheck;
  readonly #files: TableFiles;

  /** @param unfinished the tables of an incomplete run */
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

  /** The tables with their sizes, `scalars` first, `errors` last. */
  async describeTables(): Promise<ResultTable[]> {
    const files = await this.listResultsFiles();
    return inOrder(await this.listTables(), (name) => name).map((name) => {
      const known = this.report?.final[name];
      return { name, rows: known?.rows ?? null, bytes: known?.bytes ?? null, uri: files[name] ?? null };
    });
  }

  /** Table name → URI of its Parquet file, as Python Scythe's `list_results_files`; partial results have no files yet. */
  async listResultsFiles(): Promise<Record<string, string>> {
    if (this.partial) return {};
    const names = await this.#files.names();
    return Object.fromEntries(names.map((name) => [name, this.#storage.uriOf(this.#layout.finalTable(name))]));
  }

  /** Rows of succeeded specs, in order of `sort_index`, one row group in memory at a time; file outputs are URIs. */
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

  /** {@link errors} with each spec's input apart from what happened to it, whatever its fields are named. */
  failures(options: FailureOptions = {}): AsyncGenerator<FailedSpec> {
    return failedSpecs(this, options);
  }

  /** Counts failures by kind and by message. */
  groupFailures(): Promise<FailureSummary> {
    return groupFailures(this);
  }

  /**
   * Output files, one after the other, for a data loader.
   * @param field one field only
   */
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

  /** Opens a table with its column names; `scalars` includes the file outputs. The caller closes it. */
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
   * Runs SQL (DuckDB's dialect) over `scalars`, `errors`, `result_file_refs` and the experiment's tables. The query can
   * read only these: no files, no network.
   */
  async query<R = Record<string, unknown>>(sql: string): Promise<R[]> {
    return (await this.select(sql)).rows as R[];
  }

  /** {@link query} with the column names, which a result without rows has too. */
  async select(sql: string): Promise<Answer> {
    const files = await this.#files.open(await this.#files.names());
    try {
      await this.#generation.localTables(files.paths);
      const answer = await queryTables(files.paths, sql);
      await this.#generation.localTables(files.paths); // local files may have been replaced during the query
      return answer;
    } finally {
      await files.close();
    }
  }

  /**
   * Which inputs the outputs depend on, and how much: by the method that the run's design was made for, else by one that
   * any rows will do for. Failed specs take their whole block of the design with them; nothing is imputed.
   * @throws ScytheError `invalid_input` when the method does not fit the design, or no output can be analysed
   */
  async sensitivity(options: SensitivityOptions = {}): Promise<Sensitivity> {
    const { sensitivityOf } = await import("../analysis/sensitivity.ts");
    const { readObservations } = await import("../analysis/read-observations.ts");
    const { analysedDesign } = await import("../analysis/run-design.ts");
    const { scythe } = await readManifest(this.#storage, this.#layout);
    const design = scythe?.design && analysedDesign(scythe.design);
    const files = this.#experiment?.columns.files.map(({ name }: { name: string }) => name) ?? [];
    const file = options.outputs?.find((name) => files.includes(name));
    if (file !== undefined) {
      throw new ScytheError("invalid_input", `Output ${file} is a file: only numbers and booleans can be analysed`, {
        hint: "Give back the numbers that matter as outputs of their own.",
      });
    }
    const observed = await this.#analyse((tables) => readObservations(tables, this.#observed(scythe?.spec_count)));
    return sensitivityOf(observed, design, options);
  }

  /** Each output's distribution, its correlation with each input, and where specs failed; by DuckDB, in bounded memory. */
  async describe(options: DescribeOptions = {}): Promise<Description> {
    const { describeRun } = await import("../analysis/describe.ts");
    const { scythe } = await readManifest(this.#storage, this.#layout);
    return this.#analyse((tables) => describeRun(tables, { ...this.#observed(scythe?.spec_count), ...options }));
  }

  #observed(planned: number | undefined): { inputs?: string[]; planned?: number } {
    const inputs = this.#experiment?.columns.input.map(({ name }: { name: string }) => name);
    return { ...(inputs && { inputs }), ...(planned === undefined ? {} : { planned }) };
  }

  async #analyse<T>(work: (tables: RunTables) => Promise<T>): Promise<T> {
    const names = (await this.#files.names()).filter((name) => name === SCALARS || name === ERRORS);
    const files = await this.#files.open(names);
    try {
      await this.#generation.localTables(files.paths);
      const [scalars, errors] = [files.paths.get(SCALARS), files.paths.get(ERRORS)];
      if (scalars === undefined) {
        throw new ScytheError("not_found", `Run ${this.experimentId} has no table ${SCALARS}`, {
          hint: "Only numbers among the outputs can be analysed.",
        });
      }
      return await work({ scalars, ...(errors === undefined ? {} : { errors }) });
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

  /** A downloaded run has its files in its own folder, though its tables name the original place. */
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
 * Opens a run's results. During a retry these are the tables of the previous generation.
 * @throws ScytheError `not_found` when the run has never been complete; `conflict` in the moment in which a retry
 * replaces the tables
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
      hint: "`scythe results` shows the rows so far; in code: openResults({ partial: true }).",
    });
  }
  if (report && !isComplete(await readState(storage, layout), report)) {
    await new GenerationCheck(storage, layout, report).storedTables();
  }
  return new Results(storage, layout, report, experiment);
}

/** A run of Python Scythe has tables and no report. Our own tables without a report may be incomplete. */
async function isForeign(storage: Storage, layout: RunLayout): Promise<boolean> {
  if (await readState(storage, layout)) return false;
  return (await finalKeys(storage, layout)).size > 0;
}

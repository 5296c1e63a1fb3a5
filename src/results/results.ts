import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import type { RunLayout } from "../run/layout.ts";
import { isComplete, type Report, readReport } from "../run/report.ts";
import { readState } from "../run/state.ts";
import type { Column } from "../spec/columns.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import { ParquetReader, readRows } from "../table/read-parquet.ts";
import { makeScratch } from "../temporary.ts";
import { tableColumns } from "./file-columns.ts";
import { GenerationCheck } from "./generation.ts";
import { queryTables } from "./query.ts";
import type { ErrorRow, ScalarRow, TableName, TableRow } from "./rows.ts";

/** A file that a spec produced. */
export interface ResultFile {
  sortIndex: number;
  field: string;
  uri: string;
  /** Path on this machine; undefined for a file that lies elsewhere. */
  path: string | undefined;
}

/** The finished tables of a run. */
export class Results<E extends AnyExperiment = AnyExperiment> {
  readonly experimentId: string;
  /** Undefined for a run of Python Scythe. */
  readonly report: Report | undefined;
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #experiment: E | undefined;
  readonly #generation: GenerationCheck;

  constructor(storage: Storage, layout: RunLayout, report: Report | undefined, experiment: E | undefined) {
    this.#storage = storage;
    this.#layout = layout;
    this.#experiment = experiment;
    this.report = report;
    this.#generation = new GenerationCheck(storage, layout, report);
    this.experimentId = layout.experimentId;
  }

  /** Table name → URI of its Parquet file, as Python Scythe's `list_results_files`. */
  async listResultsFiles(): Promise<Record<string, string>> {
    const files = await this.#tables();
    return Object.fromEntries([...files].map(([name, key]) => [name, this.#storage.uriOf(key)]));
  }

  /** Good rows, in order of `sort_index`, one row group in memory at a time; file outputs are URIs. */
  async *rows(): AsyncGenerator<ScalarRow<E>> {
    const files = (await this.#tables()).has("result_file_refs") ? this.#read("result_file_refs") : undefined;
    const fileFields = this.#experiment?.columns.files.map((column: Column) => column.name) as string[] | undefined;
    for await (const row of this.#read("scalars")) {
      const refs = (await files?.next())?.value as Record<string, unknown> | undefined;
      for (const field of fileFields ?? []) if (refs?.[field] !== undefined) row[field] = refs[field];
      yield row as ScalarRow<E>;
    }
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
    if (!(await this.#tables()).has("result_file_refs")) return;
    for await (const row of this.#read("result_file_refs")) {
      for (const { name } of this.#experiment?.columns.files ?? []) {
        if (field !== undefined && name !== field) continue;
        const value = row[name as string];
        for (const uri of (Array.isArray(value) ? value : [value]) as (string | null | undefined)[]) {
          if (uri) yield { sortIndex: row.sort_index as number, field: name, uri, path: await this.#pathOf(uri) };
        }
      }
    }
  }

  /**
   * SQL (DuckDB's) over `scalars`, `errors`, `result_file_refs` and the experiment's tables.
   * The query reads those alone: no files, no network.
   */
  async query<R = Record<string, unknown>>(sql: string): Promise<R[]> {
    return this.#withLocalTables(async (tables) => {
      await this.#generation.localTables(tables);
      const rows = await queryTables(tables, sql);
      await this.#generation.localTables(tables); // in place, they may have been replaced under the query
      return rows;
    }) as Promise<R[]>;
  }

  async *#read(table: string): AsyncGenerator<Record<string, unknown>> {
    const key = (await this.#tables()).get(table);
    if (!key) {
      throw new ScytheError("not_found", `Run ${this.experimentId} has no table ${table}`, {
        hint: `It has: ${[...(await this.#tables()).keys()].join(", ")}.`,
      });
    }
    const scratch = this.#storage.localPath ? undefined : await makeScratch("read");
    try {
      const path = this.#storage.localPath?.(key) ?? join(scratch!, `${table}.pq`);
      if (scratch) await this.#storage.getFile(key, path);
      const reader = await ParquetReader.open(path);
      try {
        await this.#generation.table(table, reader.metadata);
        yield* readRows(reader, tableColumns(reader, this.#experiment, table));
      } finally {
        reader.close();
      }
    } finally {
      if (scratch) await rm(scratch, { recursive: true, force: true });
    }
  }

  async #withLocalTables<T>(work: (tables: Map<string, string>) => Promise<T>): Promise<T> {
    const keys = await this.#tables();
    if (this.#storage.localPath) {
      return work(new Map([...keys].map(([name, key]) => [name, this.#storage.localPath!(key)])));
    }
    const scratch = await makeScratch("query");
    try {
      const paths = new Map<string, string>();
      for (const [name, key] of keys) {
        paths.set(name, join(scratch, `${name}.pq`));
        await this.#storage.getFile(key, paths.get(name)!);
      }
      return await work(paths);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async #tables(): Promise<Map<string, string>> {
    const files = await listAll(this.#storage, this.#layout.final);
    const names = files.map(({ key }) => [key.slice(this.#layout.final.length).replace(/\.pq$/, ""), key] as const);
    return new Map(names);
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
): Promise<Results<E>> {
  const report = await readReport(storage, layout);
  if (!report && !(await isForeign(storage, layout))) {
    throw new ScytheError("not_found", `Run ${layout.experimentId} has no results yet`, {
      hint: "`scythe show` says how far it is.",
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
  for await (const _ of storage.list(layout.final)) return true;
  return false;
}

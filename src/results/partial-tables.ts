import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AnyExperiment } from "../experiment/define.ts";
import { RunLayout } from "../run/layout.ts";
import { type CountedPart, countedParts } from "../run/part-counts.ts";
import { ERRORS, finalTableNames } from "../scatter/final-columns.ts";
import { writeTable } from "../scatter/gather/final.ts";
import { finalTables } from "../scatter/gather/final-tables.ts";
import { openPreviousTables } from "../scatter/gather/previous-tables.ts";
import { readAllSideTables } from "../scatter/gather/side-tables.ts";
import type { GatherSources, Merge } from "../scatter/gather/sources.ts";
import { partColumns } from "../scatter/part-columns.ts";
import { RunCache, type RunInfo } from "../scatter/run-task.ts";
import { OUTPUT_FILES } from "../schema/base.ts";
import { localCopies } from "../storage/local-copy.ts";
import type { Storage } from "../storage/storage.ts";
import { BatchBuilder } from "../table/batch.ts";
import { columnTypes } from "../table/describe.ts";
import { type Duck, withDuckDb } from "../table/duckdb.ts";
import { MemoryBudget } from "../table/memory-budget.ts";
import { parquetRows } from "../table/parquet-sql.ts";
import { parquetBytes } from "../table/write-parquet.ts";
import { type PartTypes, storedExperiment } from "./stored-experiment.ts";
import { inScratch, type OpenFiles, type TableFiles } from "./table-files.ts";

/** How much of a run partial results contain. */
export interface PartialResults {
  /** Specs with a row, succeeded or failed. */
  done: number;
  allocated: number;
}

const MEMORY_MB = 384;

/**
 * The tables of an incomplete run, made from the parts that existed when they were opened. They are made at each use,
 * like final tables; the run is not changed.
 */
export class PartialTables implements TableFiles {
  readonly partial: PartialResults;
  readonly #storage: Storage;
  readonly #run: RunInfo;
  readonly #parts: readonly CountedPart[];
  readonly #known: AnyExperiment | undefined;

  private constructor(storage: Storage, run: RunInfo, parts: CountedPart[], known: AnyExperiment | undefined) {
    this.#storage = storage;
    this.#run = run;
    this.#parts = parts;
    this.#known = known;
    const { spec_count: allocated, carried_count = 0 } = run.details;
    this.partial = { done: parts.reduce((sum, { ok, failed }) => sum + ok + failed, carried_count), allocated };
  }

  /** @param experiment its code, if available; used only when its schemas are those of the run */
  static async open(
    storage: Storage,
    layout: RunLayout,
    experiment: AnyExperiment | undefined,
  ): Promise<PartialTables> {
    const run = await new RunCache(storage).get({ experiment_id: layout.experimentId, generation: 0 });
    const known = experiment && experiment.schemaHash === run.details.schema_hash ? experiment : undefined;
    return new PartialTables(storage, run, await countedParts(storage, layout, 0), known);
  }

  async names(): Promise<string[]> {
    if (this.#known) return finalTableNames(this.#known);
    return this.#withDuck(async (duck, folder) => {
      const sources = await this.#sources(duck, folder);
      return finalTableNames(await this.#experiment(duck, sources));
    });
  }

  open(names: readonly string[]): Promise<OpenFiles> {
    return inScratch((folder) => this.#withDuckIn(folder, (duck) => this.#write(duck, folder, names)));
  }

  async #write(duck: Duck, folder: string, names: readonly string[]): Promise<Map<string, string>> {
    const run = this.#run;
    const sources = await this.#sources(duck, folder);
    const experiment = await this.#experiment(duck, sources);
    for (const name of Object.keys(experiment.tables)) sources.tables[name] ??= [];
    if (sources.rows.length === 0) {
      const none = new BatchBuilder(partColumns(experiment, run.details).rows).take();
      sources.rows.push(join(folder, "none.pq"));
      await writeFile(sources.rows[0]!, parquetBytes(none));
    }
    const merge: Merge = {
      settings: {
        storage: this.#storage,
        experiment,
        scratch: folder,
        runs: new RunCache(this.#storage),
        memory: new MemoryBudget(MEMORY_MB),
      },
      task: { experiment_id: run.layout.experimentId, path: [], epoch: 0, generation: 0 },
      run,
      duck,
      folder,
      memoryMb: MEMORY_MB,
      attempt: "partial",
    };
    const previous = await openPreviousTables(merge, finalTableNames(experiment));
    const made = new Map<string, string>();
    for (const table of await finalTables(merge, sources, previous)) {
      if (names.includes(table.name)) made.set(table.name, (await writeTable(merge, sources, previous, table)).path);
    }
    return made;
  }

  async #experiment(duck: Duck, { rows, tables }: GatherSources): Promise<AnyExperiment> {
    if (this.#known) return this.#known;
    const types = (file: string): Promise<PartTypes> => columnTypes(duck, `FROM ${parquetRows(file)}`);
    const own = new Map<string, PartTypes>();
    for (const [name, [first]] of Object.entries(tables)) {
      if (name !== ERRORS && name !== OUTPUT_FILES && first !== undefined) own.set(name, await types(first));
    }
    const { layout, manifest } = this.#run;
    const good = rows[0] === undefined ? undefined : await types(rows[0]);
    return storedExperiment(this.#storage, layout, manifest, good, own);
  }

  /** Local copies of the parts and of the side tables that they name. */
  async #sources(duck: Duck, folder: string): Promise<GatherSources> {
    const keys = this.#parts.map(({ key }) => key);
    const rows = await localCopies(this.#storage, keys, folder);
    const about = await readAllSideTables(duck, rows);
    const sideTables: Record<string, string[]> = { [ERRORS]: [] };
    for (const [i, key] of keys.entries()) {
      const { attempt, tables = [] } = about[i]!;
      for (const table of tables) {
        sideTables[table] = [...(sideTables[table] ?? []), RunLayout.sideTableOf(key, table, attempt)];
      }
    }
    const tables: Record<string, string[]> = {};
    for (const [table, own] of Object.entries(sideTables))
      tables[table] = await localCopies(this.#storage, own, folder);
    return { rows, tables, ordered: false };
  }

  async #withDuck<T>(work: (duck: Duck, folder: string) => Promise<T>): Promise<T> {
    let result: T;
    const files = await inScratch(async (folder) => {
      result = await this.#withDuckIn(folder, (duck) => work(duck, folder));
      return new Map();
    });
    await files.close();
    return result!;
  }

  #withDuckIn<T>(folder: string, work: (duck: Duck) => Promise<T>): Promise<T> {
    return withDuckDb({ tempDir: join(folder, "spill"), memoryMb: MEMORY_MB }, this.partial.done, work);
  }
}

import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { AnyExperiment } from "../experiment/define.ts";
import { hashFile } from "../files/artifacts.ts";
import { RUN_SCHEME, specRunIdSql } from "../run/layout.ts";
import { type FinalFile, type Report, reportText } from "../run/report.ts";
import { assertFinal, beginFinal, takenOver, updateState } from "../run/state.ts";
import type { Column } from "../spec/columns.ts";
import { ID_FIELDS } from "../spec/id-columns.ts";
import type { PutCondition, PutResult } from "../storage/storage.ts";
import type { Duck } from "../table/duckdb.ts";
import { pandasMetadata } from "../table/pandas.ts";
import { physicalOf } from "../table/physical.ts";
import { finished, finishedExpression, identifier, literal, literalList } from "../table/sql.ts";
import { ERROR_COLUMNS, FEATURES, partColumns, SORT_SUBINDEX } from "./part-columns.ts";
import { rowGroupOptions } from "./row-groups.ts";
import type { TreeSettings } from "./run-task.ts";
import type { GatherSources, Merge } from "./sources.ts";

/**
 * What the root merges into: each final table, then the report that makes the run complete. A driver that wakes after
 * another took over can neither mix its tables with the other's nor complete the run (docs/decisions/0008-one-driver.md).
 */
export async function writeFinal(merge: Merge, sources: GatherSources): Promise<Record<string, number>> {
  const { settings, run, task, duck, attempt } = merge;
  await beginFinal(settings.storage, run.layout, task.epoch, attempt);
  const features = settings.experiment.computedFeatures ? await featureColumns(duck, sources) : [];
  const writer = new FinalWriter(merge, sources, features);
  const files = [await writer.scalars(), await writer.errors()];
  if (settings.experiment.columns.files.length > 0) files.push(await writer.fileRefs());
  for (const name of Object.keys(settings.experiment.tables)) files.push(await writer.table(name));
  const report = await makeReport(merge, files, sources);
  const text = reportText(report);
  await putFenced(merge, run.layout.report, (condition) => settings.storage.put(run.layout.report, text, condition));
  const state = await updateState(settings.storage, run.layout, (now) =>
    now.epoch === task.epoch ? { status: "complete" } : undefined,
  );
  if (state.epoch > task.epoch) throw takenOver(run.layout, task.epoch, state);
  return { succeeded: report.succeeded, failed: report.failed };
}

/**
 * Writes over what was there before this attempt was known to be the last, and over nothing else: the attempt that
 * comes after it looks, asks and writes in the same order, and wins.
 */
async function putFenced(
  { settings: { storage }, run, task, attempt }: Merge,
  key: string,
  put: (condition: PutCondition) => Promise<PutResult>,
): Promise<void> {
  for (;;) {
    const before = await storage.head(key);
    await assertFinal(storage, run.layout, task.epoch, attempt);
    const { written } = await put(before ? { ifMatch: before.etag } : { ifAbsent: true });
    if (written) return;
  }
}

class FinalWriter {
  readonly #settings: TreeSettings;
  readonly #merge: Merge;
  readonly #sources: GatherSources;
  readonly #index: Column[];
  /** SQL of the index columns, over a part's good or failed rows. */
  readonly #indexSql: string[];

  constructor(merge: Merge, sources: GatherSources, features: readonly Column[]) {
    const { settings, run } = merge;
    this.#settings = settings;
    this.#merge = merge;
    this.#sources = sources;
    const inputs = partColumns(settings.experiment, run.details.extra_columns).index.filter((c) => c.name !== FEATURES);
    this.#index = [...ID_FIELDS, ...inputs, ...features];
    this.#indexSql = [
      `${literal(run.layout.experimentId)} AS experiment_id`,
      "CAST(sort_index AS BIGINT) AS sort_index",
      `${specRunIdSql(run.manifest.workflow_run_id)} AS workflow_run_id`,
      `${literal(run.manifest.workflow_run_id)} AS root_workflow_run_id`,
      ...inputs.map(finished),
      ...features.map(featureSql),
    ];
  }

  scalars(): Promise<FinalFile> {
    const { scalars } = this.#settings.experiment.columns as AnyExperiment["columns"];
    return this.#write("scalars", this.#rows(scalars.map(finished)), this.#index, scalars);
  }

  fileRefs(): Promise<FinalFile> {
    const { files } = this.#settings.experiment.columns as AnyExperiment["columns"];
    const runUri = `${this.#settings.storage.uriOf(this.#merge.run.layout.experimentId)}/`;
    const columns = files.map((column) => fileSql(column, runUri));
    return this.#write("result_file_refs", this.#rows(columns), this.#index, files);
  }

  errors(): Promise<FinalFile> {
    const files = this.#sources.tables.errors!;
    const columns = errorColumns(this.#index);
    const sql = ERROR_COLUMNS.map((c, i) => `${finishedExpression(c)} AS ${identifier(columns[i]!.name)}`);
    if (files.length > 0) {
      const from = `FROM read_parquet(${literalList(files)}) ORDER BY sort_index`;
      return this.#write("errors", `SELECT ${[...this.#indexSql, ...sql].join(", ")} ${from}`, this.#index, columns);
    }
    // no spec failed: the same columns over no rows
    const none = ERROR_COLUMNS.map(emptyColumn);
    const from = `FROM (SELECT *, ${none.join(", ")} FROM read_parquet(${literalList(this.#sources.rows)}) LIMIT 0)`;
    return this.#write("errors", `SELECT ${[...this.#indexSql, ...sql].join(", ")} ${from}`, this.#index, columns);
  }

  table(name: string): Promise<FinalFile> {
    const { experiment } = this.#settings;
    const own = experiment.columns.tables[name] as Column[];
    const levels = own.filter((column) => experiment.tables[name].index.includes(column.name));
    const values = own.filter((column) => !levels.includes(column));
    const files = this.#sources.tables[name]!;
    const rows = `read_parquet(${literalList(this.#sources.rows)})`;
    const indexOf = `SELECT sort_index AS __sort_index, * EXCLUDE (sort_index${this.#outputNames()}) FROM ${rows}`;
    const from =
      files.length > 0
        ? `FROM read_parquet(${literalList(files)}) JOIN (${indexOf}) ON sort_index = __sort_index`
        : `FROM (SELECT 0.0 AS sort_index, 0.0 AS sort_subindex, ${own.map(emptyColumn).join(", ")} LIMIT 0)
           JOIN (${indexOf}) ON sort_index = __sort_index`;
    const select = [...this.#indexSql, ...[...levels, SORT_SUBINDEX, ...values].map(finished)];
    const index = [...this.#index, ...levels, SORT_SUBINDEX];
    return this.#write(name, `SELECT ${select.join(", ")} ${from} ORDER BY sort_index, sort_subindex`, index, values);
  }

  /** A table may have columns named like outputs; those of the output must not hide them. */
  #outputNames(): string {
    const { scalars, files } = this.#settings.experiment.columns as AnyExperiment["columns"];
    return [...scalars, ...files].map((column) => `, ${identifier(column.name)}`).join("");
  }

  #rows(columns: readonly string[]): string {
    const order = this.#sources.ordered ? "" : "ORDER BY sort_index";
    const select = [...this.#indexSql, ...columns].join(", ");
    return `SELECT ${select} FROM read_parquet(${literalList(this.#sources.rows)}) ${order}`;
  }

  async #write(name: string, select: string, index: readonly Column[], columns: readonly Column[]): Promise<FinalFile> {
    const { run, task, duck, folder, memoryMb } = this.#merge;
    const path = join(folder, `${name}.final.pq`);
    const rowGroups = await rowGroupOptions(duck, this.#sources.tables[name] ?? this.#sources.rows, memoryMb);
    const { layout } = run;
    const own = JSON.stringify({ experiment_id: layout.experimentId, generation: task.generation });
    const metadata = `{pandas: ${literal(pandasMetadata(index, columns))}, scythe: ${literal(own)}}`;
    const sql = `COPY (${select}) TO ${literal(path)} (FORMAT parquet, ${rowGroups}, KV_METADATA ${metadata})`;
    await duck.run(sql, `Could not write final/${name}.pq`);
    const [count] = await duck.rows(`SELECT num_rows AS n FROM parquet_file_metadata(${literal(path)})`);
    const file = { name, rows: Number(count!.n), bytes: (await stat(path)).size, sha256: await hashFile(path) };
    const key = layout.finalTable(name);
    await putFenced(this.#merge, key, (condition) =>
      this.#settings.storage.putFile(key, path, { ...condition, move: true }),
    );
    return file;
  }
}

/** An input may be named `kind` or `name`, too: the error's column gives way, as `error_kind`. */
function errorColumns(index: readonly Column[]): Column[] {
  const taken = new Set(index.map((column) => column.name.toLowerCase()));
  return ERROR_COLUMNS.map((column) => {
    let name = column.name.slice(2);
    while (taken.has(name)) name = `error_${name}`;
    return { ...column, name };
  });
}

/** Features have no schema: a name's type is what all of its values agree on, else text. */
async function featureColumns(duck: Duck, sources: GatherSources): Promise<Column[]> {
  const found = await duck.rows(
    `SELECT key, list(DISTINCT json_type(value)) AS types, min(id) AS first
     FROM (SELECT DISTINCT ${FEATURES} AS f FROM read_parquet(${literalList(sources.rows)}) WHERE ${FEATURES} IS NOT NULL),
          json_each(CAST(f AS JSON)) GROUP BY key ORDER BY first, key`,
  );
  return found.map(({ key, types }) => ({
    name: key as string,
    type: { kind: featureKind((types as string[]).filter((type) => type !== "NULL")) },
    nullable: true,
    optional: true,
    file: false,
  }));
}

function featureKind(types: readonly string[]): "int64" | "float64" | "boolean" | "string" {
  if (types.every((type) => type === "UBIGINT" || type === "BIGINT")) return "int64";
  if (types.every((type) => ["UBIGINT", "BIGINT", "DOUBLE"].includes(type))) return "float64";
  return types.every((type) => type === "BOOLEAN") ? "boolean" : "string";
}

function featureSql(column: Column): string {
  const value = `json_extract_string(${FEATURES}, ${literal(`$."${column.name}"`)})`;
  const type = { int64: "BIGINT", float64: "DOUBLE", boolean: "BOOLEAN" }[column.type.kind as string] ?? "VARCHAR";
  return `CAST(${value} AS ${type}) AS ${identifier(column.name)}`;
}

/** Output files are held relative to the run until now. */
function fileSql(column: Column, runUri: string): string {
  const absolute = (value: string) =>
    `CASE WHEN starts_with(${value}, ${literal(RUN_SCHEME)})
     THEN ${literal(runUri)} || substr(${value}, ${RUN_SCHEME.length + 1}) ELSE ${value} END`;
  const name = identifier(column.name);
  if (column.type.kind !== "list") return `${absolute(name)} AS ${name}`;
  return `list_transform(${finishedExpression(column)}, lambda x: ${absolute("x")}) AS ${name}`;
}

const EMPTY = { double: "DOUBLE", boolean: "BOOLEAN", int64: "BIGINT", text: "VARCHAR" } as const;

function emptyColumn(column: Column): string {
  return `CAST(NULL AS ${EMPTY[physicalOf(column.type)]}) AS ${identifier(column.name)}`;
}

async function makeReport(
  { run, task, duck, attempt }: Merge,
  files: readonly FinalFile[],
  sources: GatherSources,
): Promise<Report> {
  const [scalars, errors] = files;
  const finishedAt = new Date();
  const started = new Date(run.details.created_at);
  return {
    experiment_id: run.layout.experimentId,
    generation: task.generation,
    attempt,
    allocated: run.details.spec_count,
    succeeded: scalars!.rows,
    failed: errors!.rows,
    missing: run.details.spec_count - scalars!.rows - errors!.rows,
    failed_by_kind: await failuresByKind(duck, sources.tables.errors!),
    allocated_at: started.toISOString(),
    finished_at: finishedAt.toISOString(),
    seconds: (finishedAt.getTime() - started.getTime()) / 1000,
    final: Object.fromEntries(files.map(({ name, ...file }) => [name, file])),
  };
}

async function failuresByKind(duck: Duck, files: readonly string[]): Promise<Record<string, number>> {
  if (files.length === 0) return {};
  const rows = await duck.rows(
    `SELECT __kind AS kind, count(*) AS n FROM read_parquet(${literalList(files)}) GROUP BY __kind ORDER BY n DESC`,
  );
  return Object.fromEntries(rows.map(({ kind, n }) => [kind as string, Number(n)]));
}

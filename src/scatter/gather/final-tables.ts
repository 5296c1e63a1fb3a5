import type { AnyExperiment } from "../../experiment/define.ts";
import { RUN_SCHEME } from "../../run/layout.ts";
import { specRunIdSql } from "../../run/spec-run-id.ts";
import { type Column, isUnionColumn } from "../../schema/columns.ts";
import { ID_FIELDS } from "../../schema/id-columns.ts";
import { indexNames } from "../../table/describe.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { physicalOf } from "../../table/physical.ts";
import { finished, finishedExpression, identifier, literal } from "../../table/sql.ts";
import {
  ERROR_FIELD_NAMES,
  ERRORS,
  errorNames,
  FILE_REFS,
  finalLayout,
  finalTableNames,
  SCALARS,
  type TableLayout,
} from "../final-columns.ts";
import { ERROR_COLUMNS, FEATURES, partColumns } from "../part-columns.ts";
import { type FeatureColumn, featureColumns, featureSql, finishedFeatures, newFeatures } from "./features.ts";
import type { TableQuery } from "./join-previous.ts";
import type { PreviousTables } from "./previous-tables.ts";
import type { GatherSources, Merge } from "./sources.ts";

/** The queries that produce the final tables from a run's parts, in the order in which they are written. */
export async function finalTables(
  merge: Merge,
  sources: GatherSources,
  previous: PreviousTables | undefined,
): Promise<TableQuery[]> {
  const { settings, run, duck } = merge;
  const { index } = partColumns(settings.experiment, run.details);
  const inputs = index.filter((column) => column.name !== FEATURES);
  const features = featureColumns(
    previous ? await finishedFeatures(duck, previous.files.scalars!, inputs) : [],
    settings.experiment.computedFeatures ? await newFeatures(duck, sources) : [],
  );
  const queries = new FinalQueries(merge, sources, inputs, features);
  const before = previous && (await indexNames(duck, previous.files[ERRORS]!));
  return finalTableNames(settings.experiment).map((name) => {
    if (name === SCALARS) return queries.scalars();
    if (name === ERRORS) return queries.errors(before);
    return name === FILE_REFS ? queries.fileRefs() : queries.table(name);
  });
}

class FinalQueries {
  readonly #experiment: AnyExperiment;
  readonly #merge: Merge;
  readonly #sources: GatherSources;
  readonly #index: Column[];
  /** SQL of the index columns, over the succeeded or failed rows of a part. */
  readonly #indexSql: string[];
  readonly #loose: ReadonlySet<string>;
  readonly #layout: ReadonlyMap<string, TableLayout>;

  constructor(merge: Merge, sources: GatherSources, inputs: readonly Column[], features: readonly FeatureColumn[]) {
    const { settings, run } = merge;
    this.#experiment = settings.experiment;
    this.#merge = merge;
    this.#sources = sources;
    this.#index = [...ID_FIELDS, ...inputs, ...features];
    this.#layout = finalLayout(this.#experiment, this.#indexNames);
    const unions = inputs.filter(isUnionColumn); // the base run may lack them
    this.#loose = new Set([...features, ...run.details.extra_columns, ...unions].map((column) => column.name));
    const computed = settings.experiment.computedFeatures !== undefined;
    this.#indexSql = [
      `${literal(run.layout.experimentId)} AS experiment_id`,
      "CAST(sort_index AS BIGINT) AS sort_index",
      `${specRunIdSql(run.manifest.workflow_run_id)} AS workflow_run_id`,
      `${literal(run.manifest.workflow_run_id)} AS root_workflow_run_id`,
      ...inputs.map(finished),
      ...features.map((column) => featureSql(column, computed)),
    ];
  }

  scalars(): TableQuery {
    const { columns } = this.#layout.get(SCALARS)!;
    return this.#rows(SCALARS, columns, columns.map(finished));
  }

  fileRefs(): TableQuery {
    const { columns } = this.#layout.get(FILE_REFS)!;
    const { settings, run } = this.#merge;
    const runUri = `${settings.storage.uriOf(run.layout.experimentId)}/`;
    return this.#rows(
      FILE_REFS,
      columns,
      columns.map((column) => fileSql(column, runUri)),
    );
  }

  /** @param before the index of the previous errors table */
  errors(before: readonly string[] | undefined): TableQuery {
    const files = this.#sources.tables[ERRORS]!;
    const { columns } = this.#layout.get(ERRORS)!;
    const names = errorNames(this.#indexNames);
    const earlier = before && errorNames(before);
    const sql = ERROR_COLUMNS.map((c, i) => `${finishedExpression(c)} AS ${identifier(columns[i]!.name)}`);
    // when no spec failed: the same columns over no rows
    const none = `(SELECT *, ${ERROR_COLUMNS.map(emptyColumn).join(", ")} FROM ${this.#from()} LIMIT 0)`;
    const from = files.length > 0 ? parquetRows(files) : none;
    return {
      name: ERRORS,
      index: this.#index,
      columns,
      loose: this.#loose,
      ordered: false,
      order: "sort_index",
      select: `SELECT ${[...this.#indexSql, ...sql].join(", ")} FROM ${from}`,
      renamed: earlier && new Map(ERROR_FIELD_NAMES.map((field) => [names[field], earlier[field]])),
      sums: [names.attempts, names.duration],
    };
  }

  table(name: string): TableQuery {
    const { levels, columns } = this.#layout.get(name)!;
    const own = this.#experiment.columns.tables[name] as Column[];
    const files = this.#sources.tables[name]!;
    const indexOf = `SELECT sort_index AS __sort_index, * EXCLUDE (sort_index${this.#outputNames()}) FROM ${this.#from()}`;
    const from =
      files.length > 0
        ? `FROM ${parquetRows(files)} JOIN (${indexOf}) ON sort_index = __sort_index`
        : `FROM (SELECT 0.0 AS sort_index, 0.0 AS sort_subindex, ${own.map(emptyColumn).join(", ")} LIMIT 0)
           JOIN (${indexOf}) ON sort_index = __sort_index`;
    const select = [...this.#indexSql, ...[...levels, ...columns].map(finished)];
    return {
      name,
      index: [...this.#index, ...levels],
      columns,
      loose: this.#loose,
      select: `SELECT ${select.join(", ")} ${from}`,
      ordered: false,
      order: "sort_index, sort_subindex",
    };
  }

  get #indexNames(): string[] {
    return this.#index.map((column) => column.name);
  }

  /** Excludes the outputs: a table may have columns with their names. */
  #outputNames(): string {
    const { scalars, files } = this.#experiment.columns as AnyExperiment["columns"];
    return [...scalars, ...files].map((column) => `, ${identifier(column.name)}`).join("");
  }

  #rows(name: string, columns: readonly Column[], sql: readonly string[]): TableQuery {
    const select = `SELECT ${[...this.#indexSql, ...sql].join(", ")} FROM ${this.#from()}`;
    const { ordered } = this.#sources;
    return { name, index: this.#index, columns, loose: this.#loose, select, ordered, order: "sort_index" };
  }

  #from(): string {
    return parquetRows(this.#sources.rows);
  }
}

/** File references are relative to the run until now. */
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

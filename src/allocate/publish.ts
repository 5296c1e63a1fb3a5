import { ScytheError } from "../errors.ts";
import { RUN_SCHEME } from "../run/layout.ts";
import type { Column } from "../schema/columns.ts";
import { ID_FIELDS } from "../schema/id-columns.ts";
import { columnTypes } from "../table/describe.ts";
import { withDuckDb } from "../table/duckdb.ts";
import { jsonField } from "../table/flat-json.ts";
import { pandasMetadata } from "../table/pandas.ts";
import { addFileChecksum, CHECKSUM_KEY, CHECKSUM_PLACEHOLDER } from "../table/parquet-checksum.ts";
import { parquetRows } from "../table/parquet-sql.ts";
import { type Move, movedColumn } from "../table/relocate.ts";
import { finished, finishedExpression, identifier, literal, sqlType } from "../table/sql.ts";
import { EXTRA, type StagedSpecs } from "./stage.ts";

/** Rows per row group of `specs.pq`: what a worker decodes at once. A multiple of DuckDB's vector of 2,048. */
export const SPECS_ROW_GROUP = 10_240;

export interface SpecIds {
  experimentId: string;
  rootRunId: string;
  /** URI of the run's folder, the prefix of references to its own files. */
  runUri: string;
}

/** Writes `specs.pq` from staged specs: adds ids, converts to final types, orders by `sort_index`. */
export async function writeSpecs(
  staged: StagedSpecs,
  input: readonly Column[],
  ids: SpecIds,
  target: string,
  options: { sort: boolean; tempDir: string },
): Promise<void> {
  await withDuckDb({ tempDir: options.tempDir, memoryMb: 384 }, staged.count, async (duck) => {
    const from = parquetRows(staged.path);
    const columns = [
      `${literal(ids.experimentId)} AS experiment_id`,
      "CAST(sort_index AS BIGINT) AS sort_index",
      "CAST(NULL AS VARCHAR) AS workflow_run_id", // known once the spec runs; Python Scythe has null here too
      `${literal(ids.rootRunId)} AS root_workflow_run_id`,
      ...input.map((column) => specColumn(column, ids.runUri)),
      ...staged.extraColumns.map(extraColumn),
    ];
    const pandas = pandasMetadata([], [...ID_FIELDS, ...input, ...staged.extraColumns]);
    await duck.run(
      `COPY (SELECT ${columns.join(", ")} FROM ${from} ${options.sort ? "ORDER BY sort_index" : ""})
       TO ${literal(target)} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE ${SPECS_ROW_GROUP},
         KV_METADATA {pandas: ${literal(pandas)}, ${CHECKSUM_KEY}: ${literal(CHECKSUM_PLACEHOLDER)}})`,
      "Could not write specs.pq",
    );
  });
  await addFileChecksum(target);
}

/**
 * Writes the `specs.pq` of an extending run: the base run's specs with their ids and moved references, then the added
 * specs.
 */
export async function joinSpecs(
  before: string,
  added: string,
  target: string,
  columns: readonly Column[],
  { moves, count, tempDir }: { moves: readonly Move[]; count: number; tempDir: string },
): Promise<void> {
  await withDuckDb({ tempDir, memoryMb: 384 }, count, async (duck) => {
    const had = await columnTypes(duck, `SELECT * FROM ${parquetRows(before)}`);
    const files = new Set(columns.filter((column) => column.file).map((column) => column.name));
    const kept = [...(await columnTypes(duck, `SELECT * FROM ${parquetRows(added)}`))].map(([name, type]) => {
      const own = identifier(name);
      if (!had.has(name)) return `CAST(NULL AS ${type}) AS ${own}`; // an extra field that is new in this run
      return files.has(name) ? `${movedColumn(own, type, moves)} AS ${own}` : own;
    });
    const pandas = pandasMetadata([], [...ID_FIELDS, ...columns]);
    await duck.run(
      `COPY (SELECT ${kept.join(", ")} FROM ${parquetRows(before)}
             UNION ALL SELECT * FROM ${parquetRows(added)} ORDER BY sort_index)
       TO ${literal(target)} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE ${SPECS_ROW_GROUP}, KV_METADATA {pandas: ${literal(pandas)}})`,
      "Could not write specs.pq",
    );
  });
}

/** @throws ScytheError `invalid_specs` naming each `sort_index` that several specs have */
export async function assertUniqueSortIndex(staged: StagedSpecs, tempDir: string): Promise<void> {
  const from = parquetRows(staged.path);
  const sql = `SELECT CAST(sort_index AS BIGINT) AS i FROM ${from} GROUP BY i HAVING count(*) > 1 ORDER BY i LIMIT 20`;
  const twice = await withDuckDb({ tempDir, memoryMb: 384 }, staged.count, (duck) => duck.rows(sql));
  if (twice.length === 0) return;
  const list = twice.map(({ i }) => String(i)).join(", ");
  throw new ScytheError("invalid_specs", `Several specs have the same sort_index: ${list}`, {
    hint: "With keepSortIndex every spec needs its own. Without the option, specs are numbered.",
  });
}

/** A reference to the run's own file becomes an absolute URI. */
function specColumn(column: Column, runUri: string): string {
  if (!column.file) return finished(column);
  const absolute = (value: string) =>
    `CASE WHEN starts_with(${value}, ${literal(RUN_SCHEME)})
     THEN ${literal(`${runUri}/`)} || substr(${value}, ${RUN_SCHEME.length + 1}) ELSE ${value} END`;
  const expression =
    column.type.kind === "list"
      ? `list_transform(${finishedExpression(column)}, lambda x: ${absolute("x")})`
      : absolute(identifier(column.name));
  return `${expression} AS ${identifier(column.name)}`;
}

function extraColumn(column: Column): string {
  return `CAST(${jsonField(EXTRA, column.name)} AS ${sqlType(column.type)}) AS ${identifier(column.name)}`;
}

import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AnyExperiment } from "../../experiment/define.ts";
import { hashFile } from "../../files/artifacts.ts";
import { RUN_SCHEME } from "../../run/layout.ts";
import { errorNamesAmong } from "../../scatter/final-layout.ts";
import { ERROR_COLUMNS, partErrorName } from "../../scatter/part-columns.ts";
import type { Column } from "../../schema/columns.ts";
import type { Batch } from "../../table/batch.ts";
import { columnTypes } from "../../table/describe.ts";
import type { Duck, SqlRow } from "../../table/duckdb.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { finished, identifier } from "../../table/sql.ts";
import { parquetBytes } from "../../table/write-parquet.ts";
import type { Subject } from "../verify/about.ts";
import type { Difference } from "../verify/certificate.ts";
import type { TablePaths } from "../verify/tables.ts";
import type { NewFile, RerunRows } from "./rerun.ts";

/** Differences of one column that are told of. */
const SHOWN = 100;

export interface Comparison {
  subject: Subject;
  duck: Duck;
  tables: TablePaths;
  experiment: AnyExperiment;
  /** Scratch. */
  folder: string;
  sort_indexes: readonly number[];
}

/** What specs gave anew beside what the run holds of them. NaN is equal to NaN, and null to nothing but null. */
export async function compareRerun(comparison: Comparison, { rows, files }: RerunRows): Promise<Difference[]> {
  const { experiment, sort_indexes } = comparison;
  if (sort_indexes.length === 0) return [];
  const { scalars, files: refs, tables } = experiment.columns as AnyExperiment["columns"];
  await open(comparison, "again_scalars", rows.ok.view(), [...scalars, ...refs]);
  await open(comparison, "again_errors", rows.errors.view(), ERROR_COLUMNS);
  const outcomes = await compareOutcomes(comparison);
  const values = await compareColumns(comparison, "scalars", scalars, ["sort_index"]);
  const written = refs.length > 0 ? await compareFiles(comparison, refs, files) : [];
  const own: Difference[] = [];
  for (const [name, columns] of Object.entries(tables as Record<string, Column[]>)) {
    await open(comparison, `again_${name}`, rows.tables[name]!.view(), columns);
    own.push(...(await compareColumns(comparison, name, columns, ["sort_index", "sort_subindex"])));
  }
  return [...outcomes, ...values, ...written, ...own].sort((a, b) => a.sort_index - b.sort_index);
}

/** A view of new rows, in the types that finished tables have. */
async function open(
  { duck, folder }: Comparison,
  name: string,
  batch: Batch,
  columns: readonly Column[],
): Promise<void> {
  const path = join(folder, `${name}.pq`);
  await writeFile(path, parquetBytes(batch));
  const keys = batch.columns.filter((c) => c.name === "sort_index" || c.name === "sort_subindex");
  const select = [...keys.map((c) => `CAST(${c.name} AS BIGINT) AS ${c.name}`), ...columns.map(finished)];
  await duck.run(
    `CREATE OR REPLACE TABLE ${identifier(name)} AS SELECT ${select.join(", ")} FROM ${parquetRows(path)}`,
    `Could not read what ${name} gave`,
  );
}

/** Stored rows of the sample alone. */
function storedRows({ tables, sort_indexes }: Comparison, name: string): string {
  return `(SELECT * FROM ${parquetRows(tables.get(name)!)} WHERE sort_index IN (${sort_indexes.join(", ")}))`;
}

/** A spec that failed and succeeds now, or the other way round, or fails otherwise. */
async function compareOutcomes(comparison: Comparison): Promise<Difference[]> {
  const { duck, tables } = comparison;
  const errors = tables.get("errors");
  const columns = errors && (await columnTypes(duck, `SELECT * FROM ${parquetRows(errors)}`));
  const names = columns && errorNamesAmong([...columns.keys()]);
  const failure = (k: string, n: string) => `${identifier(k)} || ' (' || ${identifier(n)} || ')'`;
  const stored = names
    ? `UNION ALL SELECT sort_index, 'failed: ' || ${failure(names.kind, names.name)} FROM ${storedRows(comparison, "errors")}`
    : "";
  const rows = await duck.rows(
    `WITH stored AS (SELECT sort_index, 'succeeded' AS outcome FROM ${storedRows(comparison, "scalars")} ${stored}),
     again AS (SELECT sort_index, 'succeeded' AS outcome, '' AS message FROM again_scalars
       UNION ALL SELECT sort_index, 'failed: ' || ${failure(partErrorName("kind"), partErrorName("name"))}, ': ' || ${partErrorName("message")} FROM again_errors)
     SELECT sort_index, s.outcome AS stored, a.outcome || a.message AS again FROM stored s FULL JOIN again a
     USING (sort_index) WHERE s.outcome IS DISTINCT FROM a.outcome ORDER BY sort_index`,
  );
  return rows.map((row) => difference(row, "scalars", "(outcome)"));
}

/** @param keys what tells the rows of a table apart */
async function compareColumns(
  comparison: Comparison,
  table: string,
  columns: readonly Column[],
  keys: readonly string[],
): Promise<Difference[]> {
  const { duck } = comparison;
  const differences: Difference[] = [];
  const joined = `${storedRows(comparison, table)} s JOIN ${identifier(`again_${table}`)} a USING (${keys.join(", ")})`;
  for (const { name } of columns) {
    const [left, right] = [`s.${identifier(name)}`, `a.${identifier(name)}`];
    const rows = await duck.rows(
      `SELECT ${keys.join(", ")}, CAST(${left} AS VARCHAR) AS stored, CAST(${right} AS VARCHAR) AS again FROM ${joined}
       WHERE ${left} IS DISTINCT FROM ${right} ORDER BY ALL LIMIT ${SHOWN}`,
    );
    differences.push(...rows.map((row) => difference(row, table, name)));
  }
  return keys.length > 1 ? [...differences, ...(await compareRowCounts(comparison, table))] : differences;
}

async function compareRowCounts(comparison: Comparison, table: string): Promise<Difference[]> {
  const counted = (from: string) => `(SELECT sort_index, count(*) AS n FROM ${from} GROUP BY sort_index)`;
  const rows = await comparison.duck.rows(
    `SELECT sort_index, CAST(coalesce(s.n, 0) AS VARCHAR) AS stored, CAST(coalesce(a.n, 0) AS VARCHAR) AS again
     FROM ${counted(storedRows(comparison, table))} s FULL JOIN ${counted(identifier(`again_${table}`))} a USING (sort_index)
     WHERE s.n IS DISTINCT FROM a.n AND sort_index IN (SELECT sort_index FROM again_scalars) ORDER BY sort_index`,
  );
  return rows.map((row) => difference(row, table, "(rows)"));
}

/** Files by what they hold; references that a function gave as they are, by their text. */
async function compareFiles(
  comparison: Comparison,
  columns: readonly Column[],
  files: readonly NewFile[],
): Promise<Difference[]> {
  const { duck, tables } = comparison;
  if (!tables.has("result_file_refs")) return [];
  const names = columns.map((column) => identifier(column.name));
  const select = (prefix: string) => names.map((name, i) => `${prefix}.${name} AS ${prefix}${i}`).join(", ");
  const rows = await duck.rows(
    `SELECT sort_index, ${select("s")}, ${select("a")} FROM ${storedRows(comparison, "result_file_refs")} s
     JOIN again_scalars a USING (sort_index) ORDER BY sort_index`,
  );
  const differences: Difference[] = [];
  for (const row of rows) {
    for (const [i, { name }] of columns.entries()) {
      const stored = await Promise.all(listOf(row[`s${i}`]).map((uri) => storedContent(comparison, uri)));
      const again = listOf(row[`a${i}`]).map((reference) => newContent(reference, name, Number(row.sort_index), files));
      if (stored.join("\n") === again.join("\n")) continue;
      const texts = { sort_index: row.sort_index, stored: stored.join(", "), again: again.join(", ") };
      differences.push(difference(texts, "result_file_refs", name));
    }
  }
  return differences;
}

function listOf(value: unknown): (string | null)[] {
  return Array.isArray(value) ? value : value === null || value === undefined ? [] : [value as string];
}

async function storedContent({ subject, folder }: Comparison, uri: string | null): Promise<string> {
  const { storage, layout, objects } = subject;
  const path = uri === null ? undefined : layout.pathOf(uri);
  if (path === undefined) return String(uri);
  if (!objects.has(path)) return `${path}, which is missing`;
  const key = layout.key(path);
  if (storage.localPath) return `sha256 ${await hashFile(storage.localPath(key))}`;
  const copy = join(folder, path.replaceAll("/", "_"));
  await storage.getFile(key, copy);
  const sha256 = await hashFile(copy);
  await rm(copy, { force: true });
  return `sha256 ${sha256}`;
}

function newContent(reference: string | null, field: string, sortIndex: number, files: readonly NewFile[]): string {
  if (!reference?.startsWith(RUN_SCHEME)) return String(reference);
  const file = files.find(
    (own) => own.sortIndex === sortIndex && own.field === field && reference.endsWith(`/${own.name}`),
  );
  return `sha256 ${file?.sha256}`;
}

function difference(row: SqlRow, table: string, column: string): Difference {
  const subindex = row.sort_subindex;
  return {
    sort_index: Number(row.sort_index),
    table,
    sort_subindex: subindex === undefined || subindex === null ? null : Number(subindex),
    column,
    stored: shown(row.stored),
    again: shown(row.again),
  };
}

function shown(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const text = String(value);
  return text.length > 1_000 ? `${text.slice(0, 1_000)}…` : text;
}

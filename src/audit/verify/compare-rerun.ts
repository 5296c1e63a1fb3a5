import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AnyExperiment } from "../../experiment/define.ts";
import { hashFile } from "../../files/artifacts.ts";
import { RUN_SCHEME } from "../../run/layout.ts";
import { errorNamesAmong } from "../../scatter/final-columns.ts";
import { ERROR_COLUMNS, partErrorName } from "../../scatter/part-columns.ts";
import type { Column } from "../../schema/columns.ts";
import { withLocalCopy } from "../../storage/local-copy.ts";
import type { Batch } from "../../table/batch.ts";
import { columnTypes } from "../../table/describe.ts";
import type { SqlRow } from "../../table/duckdb.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { finished, identifier } from "../../table/sql.ts";
import { parquetBytes } from "../../table/write-parquet.ts";
import { compareTable, type OpenTables, view } from "../diff/columns.ts";
import type { Difference } from "./certificate.ts";
import type { NewFile, RerunRows } from "./rerun.ts";
import type { Subject } from "./subject.ts";
import type { Tables } from "./tables.ts";

/** Differences of one column that are reported. */
const SHOWN = 100;

export interface Comparison {
  subject: Subject;
  tables: Tables;
  experiment: AnyExperiment;
  /** Scratch. */
  folder: string;
  sort_indexes: readonly number[];
}

/** What the run holds of the sample (`a`), and what its specs gave again (`b`). */
const STORED = { name: "a" } as const;
const AGAIN = { name: "b" } as const;

/** Compares the results of specs that ran again with those of the run. NaN equals NaN, and null equals only null. */
export async function compareRerun(comparison: Comparison, { rows, files }: RerunRows): Promise<Difference[]> {
  const { subject, experiment, sort_indexes, tables } = comparison;
  if (sort_indexes.length === 0) return [];
  const { scalars, files: refs, tables: own } = experiment.columns as AnyExperiment["columns"];
  const stored = await openStored(comparison);
  const again = await openAgain(comparison, [
    ["scalars", rows.ok.view(), [...scalars, ...refs]],
    ["errors", rows.errors.view(), ERROR_COLUMNS],
    ...Object.entries(own).map(([name, columns]) => [name, rows.tables[name]!.view(), columns] as const),
  ]);
  const differences = await compareOutcomes(tables, stored);
  differences.push(...(await compareValues(tables, stored, again, "scalars", scalars)));
  if (refs.length > 0) differences.push(...(await compareFiles(comparison, stored, refs, files)));
  for (const [name, columns] of Object.entries(own)) {
    if (!stored.tables.has(name)) {
      subject.findings.unchecked("sample", `rows of ${name} were not compared: the table cannot be read`);
      continue;
    }
    differences.push(...(await compareValues(tables, stored, again, name, columns)));
    differences.push(...(await compareRowCounts(tables, name)));
  }
  return differences.sort((a, b) => a.sort_index - b.sort_index);
}

/** Stored rows of the sample alone. */
async function openStored({ tables: { duck, paths }, sort_indexes }: Comparison): Promise<OpenTables> {
  const sample = sort_indexes.join(", ");
  await duck.run(
    `CREATE TABLE pairs AS SELECT i AS ia, i AS ib FROM (SELECT unnest([${sample}]) AS i)`,
    "Could not open the sample",
  );
  const types = new Map<string, Map<string, string>>();
  for (const [name, path] of paths) {
    if (name === "specs") continue;
    const rows = `SELECT * FROM ${parquetRows(path)} WHERE sort_index IN (${sample})`;
    await duck.run(`CREATE TABLE ${view(STORED, name)} AS ${rows}`, `Could not open ${name}`);
    types.set(name, await columnTypes(duck, `FROM ${view(STORED, name)}`));
  }
  return { ...STORED, tables: types };
}

/** New rows, in the types that finished tables have. */
async function openAgain(
  { tables: { duck }, folder }: Comparison,
  given: readonly (readonly [string, Batch, readonly Column[]])[],
): Promise<OpenTables> {
  const types = new Map<string, Map<string, string>>();
  for (const [name, batch, columns] of given) {
    const path = join(folder, `${name}.pq`);
    await writeFile(path, parquetBytes(batch));
    const keys = batch.columns.filter((c) => c.name === "sort_index" || c.name === "sort_subindex");
    const select = [...keys.map((c) => `CAST(${c.name} AS BIGINT) AS ${c.name}`), ...columns.map(finished)];
    const rows = `SELECT ${select.join(", ")} FROM ${parquetRows(path)}`;
    await duck.run(`CREATE TABLE ${view(AGAIN, name)} AS ${rows}`, `Could not read what ${name} gave`);
    types.set(name, await columnTypes(duck, `FROM ${view(AGAIN, name)}`));
  }
  return { ...AGAIN, tables: types };
}

/** A spec that failed and succeeds now, or the other way round, or fails otherwise. */
async function compareOutcomes({ duck }: Tables, stored: OpenTables): Promise<Difference[]> {
  const errors = stored.tables.get("errors");
  const names = errors && errorNamesAmong([...errors.keys()]);
  const failure = (k: string, n: string) => `${identifier(k)} || ' (' || ${identifier(n)} || ')'`;
  const failed = names
    ? `UNION ALL SELECT sort_index, 'failed: ' || ${failure(names.kind, names.name)} FROM ${view(STORED, "errors")}`
    : "";
  const rows = await duck.rows(
    `WITH stored AS (SELECT sort_index, 'succeeded' AS outcome FROM ${view(STORED, "scalars")} ${failed}),
     again AS (SELECT sort_index, 'succeeded' AS outcome, '' AS message FROM ${view(AGAIN, "scalars")}
       UNION ALL SELECT sort_index, 'failed: ' || ${failure(partErrorName("kind"), partErrorName("name"))}, ': ' || ${partErrorName("message")} FROM ${view(AGAIN, "errors")})
     SELECT sort_index, s.outcome AS stored, a.outcome || a.message AS again FROM stored s FULL JOIN again a
     USING (sort_index) WHERE s.outcome IS DISTINCT FROM a.outcome ORDER BY sort_index`,
  );
  return rows.map((row) => difference(row, "scalars", "(outcome)"));
}

async function compareValues(
  { duck }: Tables,
  stored: OpenTables,
  again: OpenTables,
  table: string,
  columns: readonly Column[],
): Promise<Difference[]> {
  const names = columns.map(({ name }) => name);
  const compared = await compareTable(duck, stored, again, table, names, { tolerance: 0, show: "first", most: SHOWN });
  return compared.columns.flatMap(({ column, examples }) =>
    examples.map(({ sort_index_a: sort_index, sort_subindex, a, b }) =>
      difference({ sort_index, sort_subindex, stored: a, again: b }, table, column),
    ),
  );
}

async function compareRowCounts({ duck }: Tables, table: string): Promise<Difference[]> {
  const counted = (from: string) => `(SELECT sort_index, count(*) AS n FROM ${from} GROUP BY sort_index)`;
  const rows = await duck.rows(
    `SELECT sort_index, CAST(coalesce(s.n, 0) AS VARCHAR) AS stored, CAST(coalesce(a.n, 0) AS VARCHAR) AS again
     FROM ${counted(view(STORED, table))} s FULL JOIN ${counted(view(AGAIN, table))} a USING (sort_index)
     WHERE s.n IS DISTINCT FROM a.n AND sort_index IN (SELECT sort_index FROM ${view(AGAIN, "scalars")}) ORDER BY sort_index`,
  );
  return rows.map((row) => difference(row, table, "(rows)"));
}

/** Files by what they hold; references that a function gave as they are, by their text. */
async function compareFiles(
  comparison: Comparison,
  stored: OpenTables,
  columns: readonly Column[],
  files: readonly NewFile[],
): Promise<Difference[]> {
  if (!stored.tables.has("result_file_refs")) return [];
  const names = columns.map((column) => identifier(column.name));
  const select = (prefix: string) => names.map((name, i) => `${prefix}.${name} AS ${prefix}${i}`).join(", ");
  const rows = await comparison.tables.duck.rows(
    `SELECT sort_index, ${select("s")}, ${select("a")} FROM ${view(STORED, "result_file_refs")} s
     JOIN ${view(AGAIN, "scalars")} a USING (sort_index) ORDER BY sort_index`,
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
  return `sha256 ${await withLocalCopy(storage, layout.key(path), folder, hashFile)}`;
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

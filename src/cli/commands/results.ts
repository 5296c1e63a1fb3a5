import { type Command, Option } from "commander";
import { ScytheError } from "../../errors.ts";
import { ID_COLUMNS, type Results, type TableReader } from "../../index.ts";
import { findResults, notePartial } from "../find-results.ts";
import { withStorage } from "../open-project.ts";
import { filled, limitOption, type ProjectFlags, projectOptions, RUN_NAME } from "../options.ts";
import { note, outputWidth, print } from "../output.ts";
import { cellText } from "../view/cell-text.ts";
import {
  firstRows,
  inColumns,
  printCsv,
  printJsonArray,
  printJsonObject,
  type Row,
  type Rows,
} from "../view/row-writer.ts";
import { styleFor } from "../view/style.ts";
import { tableText } from "../view/table-text.ts";
import { countText, plural } from "../view/units.ts";

export interface ResultsFlags extends ProjectFlags {
  sql?: string;
  table?: string;
  limit?: number;
  format: "table" | "csv" | "json";
}

const EXAMPLES = `
Examples:
  scythe results projectile
  scythe results projectile --table trajectory --limit 20
  scythe results projectile --format csv > scalars.csv
  scythe results projectile --sql "select angle, max(range) from scalars group by angle order by angle"`;

export function register(command: Command): void {
  command
    .description("Shows a run's final tables and the first rows of one, prints a whole table, or answers a query.")
    .argument("<run>", RUN_NAME)
    .option("--sql <query>", "DuckDB's SQL over the run's tables", filled)
    .option("--table <name>", "the table to print (default: scalars)", filled)
    .addOption(limitOption("rows that are printed (default: 10 of a table; every row of a query, csv or json)"))
    .addOption(
      new Option("--format <format>", "how rows are printed").choices(["table", "csv", "json"]).default("table"),
    )
    .addHelpText("after", EXAMPLES);
  projectOptions(command).action(async (run: string, flags: ResultsFlags) => {
    await showResults(run, flags);
  });
}

const PREVIEW_ROWS = 10;

export async function showResults(reference: string, flags: ResultsFlags): Promise<void> {
  if (flags.sql?.trim() === "") {
    throw new ScytheError("invalid_input", "--sql has no query", { hint: 'Write --sql "select * from scalars".' });
  }
  await withStorage(flags, async (project) => {
    const results = await findResults(project, reference);
    if (!flags.json) notePartial(results);
    if (flags.sql !== undefined) return answer(results, flags.sql, flags);
    const table = await results.open(flags.table ?? "scalars");
    try {
      await showTable(results, table, flags);
    } finally {
      await table.close();
    }
  });
}

async function answer(results: Results, sql: string, flags: ResultsFlags): Promise<void> {
  const { columns, rows: all } = await results.select(sql);
  const rows = flags.limit ? all.slice(0, flags.limit) : all;
  if (flags.json) {
    const head = { experiment_id: results.experimentId, partial: results.partial ?? null, sql, columns };
    return printJsonObject({ ...head, total: all.length }, "rows", rows);
  }
  if (flags.format === "json") return printJsonArray(rows);
  if (flags.format === "csv") return printCsv(rows, columns);
  const hidden = await printTable(rows, columns);
  const left = [];
  if (rows.length < all.length) left.push(`${countText(rows.length)} of ${plural(all.length, "row")}`);
  if (hidden > 0) left.push(`${plural(hidden, "column")} not shown (--format csv has all)`);
  if (left.length > 0) note(styleFor(process.stderr).dim(left.join(", ")));
}

async function showTable(results: Results, table: TableReader, flags: ResultsFlags): Promise<void> {
  const { columns } = table;
  const name = flags.table ?? "scalars";
  const rows = inColumns(table.rows(), columns);
  if (flags.json) {
    const limit = flags.limit ?? (flags.table === undefined ? PREVIEW_ROWS : 0);
    const head = { experiment_id: results.experimentId, partial: results.partial ?? null };
    const about = { ...head, tables: await results.describeTables(), table: name, columns };
    return printJsonObject(about, "rows", firstRows(rows, limit));
  }
  const wanted = firstRows(rows, limitOf(flags));
  if (flags.format === "csv") return printCsv(wanted, columns);
  if (flags.format === "json") return printJsonArray(wanted);
  await preview(results, name, columns, wanted, flags);
}

/** The tables there are, then the first rows of one. Ids that say nothing new in each row are left out. */
async function preview(
  results: Results,
  table: string,
  columns: readonly string[],
  rows: Rows,
  flags: ResultsFlags,
): Promise<void> {
  const tables = await results.describeTables();
  const style = styleFor(process.stdout);
  if (flags.table === undefined) {
    await print(`${style.bold(results.experimentId)}\n`);
    const counts = tables.map(({ name, rows: count }) => [name, count === null ? "–" : countText(count)]);
    const columns = [{ name: "table" }, { name: "rows", align: "right" as const }];
    await print(`${tableText(columns, counts, { indent: 2, header: style.dim }).text}\n\n${style.bold(table)}\n`);
  }
  const shown: Row[] = [];
  for await (const row of rows) shown.push(row);
  const hidden = await printTable(shown, outputWidth() === undefined ? columns : columns.filter(isTelling));
  const total = tables.find(({ name }) => name === table)?.rows ?? shown.length;
  const left = [];
  if (shown.length < total) left.push(`${countText(shown.length)} of ${plural(total, "row")} (--limit 0 for all)`);
  if (hidden > 0) left.push(`${plural(hidden, "column")} not shown (--format csv has all)`);
  if (left.length > 0) note(styleFor(process.stderr).dim(left.join(", ")));
}

/** Returns the number of columns that the terminal had no room for. */
async function printTable(rows: readonly Row[], names: readonly string[]): Promise<number> {
  if (rows.length === 0) {
    note("no rows");
    return 0;
  }
  const width = outputWidth();
  const style = styleFor(process.stdout);
  const columns = names.map((name) => ({
    name,
    align: isNumeric(rows, name) ? ("right" as const) : ("left" as const),
  }));
  const cells = rows.map((row) => names.map((name) => cellText(row[name], width === undefined)));
  const { text, hidden } = tableText(columns, cells, { width, header: style.dim });
  await print(`${text}\n`);
  return hidden.length;
}

function isNumeric(rows: readonly Row[], name: string): boolean {
  const values = rows.map((row) => row[name]).filter((value) => value !== null && value !== undefined);
  return values.length > 0 && values.every((value) => typeof value === "number" || typeof value === "bigint");
}

function isTelling(name: string): boolean {
  return name === "sort_index" || !(ID_COLUMNS as readonly string[]).includes(name);
}

function limitOf({ limit, format }: ResultsFlags): number {
  return limit ?? (format === "table" ? PREVIEW_ROWS : 0);
}

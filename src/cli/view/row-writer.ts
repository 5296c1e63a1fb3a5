import { print, printData } from "../output.ts";
import { csvLine } from "./csv-text.ts";
import { jsonText } from "./json-text.ts";

export type Row = Record<string, unknown>;
export type Rows = AsyncIterable<Row> | Iterable<Row>;

/** Text that is passed to stdout in one write. */
const FLUSH = 64 * 1024;

/** Rows as CSV, in one stream of any length. */
export async function printCsv(rows: Rows, columns: readonly string[]): Promise<void> {
  let text = `${csvLine(columns)}\n`;
  for await (const row of rows) {
    text += `${csvLine(columns.map((name) => row[name]))}\n`;
    if (text.length >= FLUSH) {
      await printData(text);
      text = "";
    }
  }
  if (text) await printData(text);
}

/** Rows as a JSON array, one row a line, in one stream of any length. */
export async function printJsonArray(rows: Rows): Promise<void> {
  await printJsonRows("[", rows, "]\n", "  ");
}

/** `{ …head, "<name>": [rows] }`, in one stream of any length. */
export async function printJsonObject(head: Row, name: string, rows: Rows): Promise<void> {
  const fields = Object.entries(head).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${indented(jsonText(value, 2))},\n`,
  );
  await printJsonRows(`{\n${fields.join("")}  ${JSON.stringify(name)}: [`, rows, "]\n}\n", "    ");
}

async function printJsonRows(before: string, rows: Rows, after: string, indent: string): Promise<void> {
  let text = before;
  let empty = true;
  for await (const row of rows) {
    text += `${empty ? "" : ","}\n${indent}${jsonText(row)}`;
    empty = false;
    if (text.length >= FLUSH) {
      await print(text);
      text = "";
    }
  }
  await print(`${text}${empty ? "" : `\n${indent.slice(2)}`}${after}`);
}

function indented(json: string): string {
  return json.replaceAll("\n", "\n  ");
}

/** The same columns in every row, in their order: a missing value is null. */
export async function* inColumns(rows: Rows, columns: readonly string[]): AsyncGenerator<Row> {
  for await (const row of rows) yield Object.fromEntries(columns.map((name) => [name, row[name] ?? null]));
}

/** The first rows of a stream; 0 for all of them. */
export async function* firstRows<R>(rows: AsyncIterable<R> | Iterable<R>, limit: number): AsyncGenerator<R> {
  let taken = 0;
  for await (const row of rows) {
    yield row;
    if (++taken === limit) return;
  }
}

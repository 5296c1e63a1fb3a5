import { pipeline } from "node:stream";
import { CsvError, parse } from "csv-parse";
import { ScytheError } from "../errors.ts";
import type { Column } from "../schema/columns.ts";
import { cellReader, looseCell } from "./cell.ts";
import { LIMITS, tooLarge } from "./limits.ts";
import type { SpecRecord, SpecText } from "./source.ts";

interface CsvRecord {
  record: Record<string, string>;
  info: { lines: number };
}

/** Reads CSV; cells are converted to the types of the schema's columns. */
export async function* readCsv(text: SpecText, columns: readonly Column[]): AsyncGenerator<SpecRecord> {
  const { name, pieces } = text;
  const cells = new Map(columns.map((column) => [column.name, cellReader(column)]));
  const header = (names: readonly string[]) => headerOf(names, new Set(cells.keys()), text);
  const lines = ["\r\n", "\n", "\r"]; // given explicitly: to detect them, the parser would search the whole first line at each piece
  const limits = { max_record_size: LIMITS.specBytes, record_delimiter: lines };
  const parser = parse({ columns: header, info: true, skip_empty_lines: true, ...limits });
  pipeline(pieces, parser, () => undefined); // errors of the source are thrown by the parser
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
      const value: Record<string, unknown> = {};
      for (const key of Object.keys(record)) {
        const given = (cells.get(key) ?? looseCell)(record[key]!);
        if (given !== undefined) value[key] = given;
      }
      yield { at: `line ${info.lines}`, value };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    if (error.code === "CSV_MAX_RECORD_SIZE") {
      throw tooLarge(name, `a record is larger than ${LIMITS.specBytes / 2 ** 20} MB (or a quote is not closed)`);
    }
    throw new ScytheError("invalid_input", `${name}: not well-formed CSV: ${error.message}`, {
      hint: "Cells that hold a comma, quote or line break must be quoted; a quote inside is written twice.",
      cause: error,
    });
  }
}

/** The column names; false for a column that is dropped. */
function headerOf(names: readonly string[], known: ReadonlySet<string>, { name, notice }: SpecText) {
  if (names.length > LIMITS.columns) throw tooLarge(name, `${names.length} columns; the limit is ${LIMITS.columns}`);
  assertCommas(names, known, name);
  const seen = new Set<string>();
  return names.map((column, i) => {
    if (i === 0 && names.length > 1 && (column === "" || column === "Unnamed: 0") && !known.has(column)) {
      notice?.(`${name}: the first column has no name, like the index that pandas writes; it is ignored`);
      return false;
    }
    if (column === "") return `column ${i + 1} "without a name"`; // refused, with this name, if it has any value
    if (seen.has(column)) throw new ScytheError("invalid_input", `${name}: two columns are named ${column}`);
    seen.add(column);
    return column;
  });
}

const OTHER_DELIMITERS = new Map([
  [";", "semicolons"],
  ["\t", "tabs"],
  ["|", "bars"],
]);

/** A table with another delimiter looks like a single column with a strange name. */
function assertCommas(names: readonly string[], known: ReadonlySet<string>, name: string): void {
  const only = names[0] ?? "";
  if (names.length !== 1 || known.has(only)) return;
  for (const [delimiter, called] of OTHER_DELIMITERS) {
    if (!only.includes(delimiter)) continue;
    throw new ScytheError("invalid_input", `${name}: its columns are separated by ${called}, not by commas`, {
      hint: `Save it with commas and decimal points: pandas.read_csv(path, sep=${JSON.stringify(delimiter)}, decimal=",").to_csv(path, index=False), or "CSV UTF-8 (comma delimited)" in a spreadsheet.`,
    });
  }
}

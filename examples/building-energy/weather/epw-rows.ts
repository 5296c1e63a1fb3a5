import { HOURS_A_YEAR, MONTH_DAYS } from "./hourly-weather.ts";
import { InputFileError } from "./input-file-error.ts";

/** The columns that are read: 0-based position, missing-value code and plausible range (EnergyPlus Auxiliary Programs). */
export const COLUMNS = {
  dryBulb: { position: 6, missing: 99.9, low: -70, high: 70 },
  dewPoint: { position: 7, missing: 99.9, low: -90, high: 70 },
  relativeHumidity: { position: 8, missing: 999, low: 0, high: 110 },
  pressure: { position: 9, missing: 999_999, low: 31_000, high: 120_000 },
  globalHorizontal: { position: 13, missing: 9999, low: -20, high: 1500 },
  directNormal: { position: 14, missing: 9999, low: -20, high: 1500 },
  diffuseHorizontal: { position: 15, missing: 9999, low: -20, high: 1500 },
} as const;

export type ColumnName = keyof typeof COLUMNS;

/** Raw hourly columns of 8,760 values; NaN where the file has its missing-value code. */
export type RawColumns = Record<ColumnName, Float64Array>;

export interface EpwRows {
  columns: RawColumns;
  /** 1-based line of the file that an hour (0 … 8,759) was read from */
  lineOf(hour: number): number;
}

const NAMES = Object.keys(COLUMNS) as ColumnName[];
/** 35 by the format; early files leave out up to three of the last ones (albedo, rain), which are not read here. */
const FEWEST_FIELDS = 32;
const MOST_FIELDS = 35;
const MARCH_FIRST = (31 + 28) * 24;

/**
 * Parses the data rows. A leap year's 24 rows of February 29 are left out: the model's year has 8,760 hours.
 * @param firstLine 0-based index of the first data line in the file
 * @throws InputFileError naming the line, for a wrong number of fields or rows, a wrong date or an impossible value
 */
export function parseEpwRows(lines: readonly string[], firstLine: number, file: string): EpwRows {
  const columns = Object.fromEntries(NAMES.map((name) => [name, new Float64Array(HOURS_A_YEAR)])) as RawColumns;
  const last = lines.findLastIndex((line) => line.trim() !== "");
  const rows = last - firstLine + 1;
  checkRowCount(rows, { file, line: last + 1 });
  const leap = rows > HOURS_A_YEAR;
  const calendar = new Calendar(leap);
  let hour = 0;
  for (let index = firstLine; index <= last; index++) {
    const where = { file, line: index + 1 };
    const fields = splitRow(lines[index] ?? "", where);
    const isLeapDay = calendar.check(fields, where);
    if (!isLeapDay) {
      for (const name of NAMES) columns[name][hour] = readValue(fields, name, where);
      hour++;
    }
  }
  return { columns, lineOf: (at) => firstLine + 1 + at + (leap && at >= MARCH_FIRST ? 24 : 0) };
}

function checkRowCount(rows: number, where: { file: string; line: number }): void {
  if (rows === HOURS_A_YEAR || rows === HOURS_A_YEAR + 24) return;
  const problem = `The file has ${rows} hourly rows; a year has 8760 (8784 with a leap day).`;
  const remedy = rows < HOURS_A_YEAR ? "It is cut short: download it again." : "Cut it to one year.";
  throw new InputFileError(where, problem, remedy);
}

function splitRow(line: string, where: { file: string; line: number }): string[] {
  const fields = line.split(",");
  if (fields.length > MOST_FIELDS && fields.slice(MOST_FIELDS).every((field) => field.trim() === "")) {
    fields.length = MOST_FIELDS;
  }
  if (fields.length >= FEWEST_FIELDS && fields.length <= MOST_FIELDS) return fields;
  const problem = `The row has ${fields.length} columns; an EPW row has 35.`;
  throw new InputFileError(where, problem, "Check for a missing, doubled or decimal comma in that line.");
}

function readValue(fields: readonly string[], name: ColumnName, where: { file: string; line: number }): number {
  const { position, missing, low, high } = COLUMNS[name];
  const text = (fields[position] ?? "").trim();
  if (text === "") return Number.NaN;
  const value = Number(text);
  const isMissingCode = name === "dryBulb" || name === "dewPoint" ? value === missing : value >= missing;
  if (isMissingCode) return Number.NaN;
  if (value >= low && value <= high) return value;
  const problem = `Column ${position + 1} (${name}) is "${text}", not a number from ${low} to ${high}.`;
  throw new InputFileError(where, problem, `Correct it, or put the missing-value code ${missing} there.`);
}

/** Walks month, day and hour (1–24) of a year, row by row. */
class Calendar {
  #month = 1;
  #day = 1;
  #hour = 1;
  readonly #leap: boolean;

  constructor(leap: boolean) {
    this.#leap = leap;
  }

  /** Checks one row's date, then goes on an hour. @returns whether the row is of February 29 */
  check(fields: readonly string[], where: { file: string; line: number }): boolean {
    const [, month, day, hour] = fields;
    if (Number(month) !== this.#month || Number(day) !== this.#day || Number(hour) !== this.#hour) {
      const expected = `${this.#month}/${this.#day} hour ${this.#hour}`;
      const problem = `The row is of ${month}/${day} hour ${hour}; month/day hour ${expected} comes next.`;
      const remedy = "Rows must run from 1/1 hour 1 to 12/31 hour 24 without gaps or doubles.";
      throw new InputFileError(where, problem, remedy);
    }
    const isLeapDay = this.#month === 2 && this.#day === 29;
    this.#advance();
    return isLeapDay;
  }

  #advance(): void {
    if (++this.#hour <= 24) return;
    this.#hour = 1;
    const days = this.#leap && this.#month === 2 ? 29 : (MONTH_DAYS[this.#month - 1] ?? 31);
    if (++this.#day <= days) return;
    this.#day = 1;
    this.#month++;
  }
}

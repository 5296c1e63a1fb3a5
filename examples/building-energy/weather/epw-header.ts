import type { Place } from "./hourly-weather.ts";
import { InputFileError } from "./input-file-error.ts";

/** What the model needs of an EPW header, and where the data begins. */
export interface EpwHeader {
  place: Place;
  /** 0 = Monday … 6 = Sunday */
  firstWeekday: number;
  /** 0-based index of the first data line */
  dataLine: number;
}

const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const HEADER_LINES = 8;
const SEARCH_LINES = 30;
const NOT_EPW = "Give an EnergyPlus Weather file: 8 header lines from LOCATION to DATA PERIODS, then hourly rows.";

/**
 * Reads LOCATION and DATA PERIODS. The other six header lines are optional and free: real files spell them differently,
 * leave them blank or say `unknown`.
 * @throws InputFileError for a file that is no EPW, a place that cannot be, several periods, or sub-hourly data
 */
export function parseEpwHeader(lines: readonly string[], file: string): EpwHeader {
  const locationLine = findHeader(lines, "LOCATION");
  if (locationLine === -1) {
    throw new InputFileError({ file, line: 1 }, "No LOCATION header, so this is not an EPW file.", NOT_EPW);
  }
  const periodsLine = findHeader(lines, "DATA PERIODS");
  if (periodsLine === -1) {
    throw new InputFileError({ file, line: HEADER_LINES }, "No DATA PERIODS header.", NOT_EPW);
  }
  return {
    place: parseLocation(lines[locationLine] ?? "", { file, line: locationLine + 1 }),
    firstWeekday: parsePeriods(lines[periodsLine] ?? "", { file, line: periodsLine + 1 }),
    dataLine: periodsLine + 1,
  };
}

function findHeader(lines: readonly string[], key: string): number {
  const start = new RegExp(`^\\s*"?${key}"?\\s*,`, "i");
  return lines.slice(0, SEARCH_LINES).findIndex((line) => start.test(line));
}

function parseLocation(line: string, where: { file: string; line: number }): Place {
  const fields = line.split(",").map((field) => field.trim().replace(/^"|"$/g, ""));
  if (fields.length < 10) {
    throw new InputFileError(where, `LOCATION has ${fields.length} fields, but needs 10.`, NOT_EPW);
  }
  const number = (index: number, label: string, low: number, high: number): number => {
    const value = fields[index] === "" ? Number.NaN : Number(fields[index]);
    if (value >= low && value <= high) return value;
    const problem = `LOCATION's ${label} is "${fields[index]}", not a number from ${low} to ${high}.`;
    throw new InputFileError(where, problem, `Correct field ${index + 1} of that line.`);
  };
  const place: Place = {
    name: fields[1] || "unknown",
    latitude: number(6, "latitude", -90, 90),
    longitude: number(7, "longitude", -180, 180),
    timeZone: number(8, "time zone", -12, 14),
    elevation: number(9, "elevation", -500, 6000),
  };
  checkTimeZone(place, where);
  return place;
}

/** Civil time zones keep within 3.5 h of solar time; more means a wrong sign, and a sun that shines at night. */
function checkTimeZone(place: Place, where: { file: string; line: number }): void {
  const gap = Math.abs(((place.longitude / 15 - place.timeZone + 36) % 24) - 12);
  if (gap <= 4) return;
  const problem = `Longitude ${place.longitude} and time zone ${place.timeZone} are ${gap.toFixed(1)} h apart.`;
  throw new InputFileError(where, problem, "Correct them (east is positive, west negative).");
}

function parsePeriods(line: string, where: { file: string; line: number }): number {
  const fields = line.split(",").map((field) => field.trim());
  const [, periods, perHour] = fields;
  if (Number(periods) !== 1) {
    throw new InputFileError(where, `The file has ${periods} data periods.`, "Use a file with one whole year.");
  }
  if (Number(perHour) !== 1) {
    throw new InputFileError(where, `The file has ${perHour} records an hour.`, "Average them to hourly rows.");
  }
  const weekday = WEEKDAYS.indexOf((fields[4] ?? "").toLowerCase());
  return weekday === -1 ? WEEKDAYS.indexOf("sunday") : weekday; // EnergyPlus, too, takes Sunday when it is not said
}

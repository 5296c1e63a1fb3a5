import { dewPointOf, relativeHumidityOf, standardPressure } from "../model/psychrometrics.ts";
import { cosineOfZenithByHour, erbsDiffuseFraction, extraterrestrialNormal } from "../model/solar.ts";
import { parseEpwHeader } from "./epw-header.ts";
import { COLUMNS, type ColumnName, parseEpwRows, type RawColumns } from "./epw-rows.ts";
import { HOURS_A_YEAR, type HourlyWeather, type Place } from "./hourly-weather.ts";
import { InputFileError } from "./input-file-error.ts";
import { readTextLines } from "./text-file.ts";

/** Gaps of up to this many hours are bridged by a straight line; longer ones are refused. */
export const LONGEST_GAP_HOURS = 6;

/**
 * Reads an EnergyPlus Weather file.
 *
 * Missing values are filled where they follow from others (dew point from relative humidity, pressure from elevation,
 * one of the three irradiances from the other two, direct and diffuse from global by Erbs' correlation), then by a
 * straight line over at most {@link LONGEST_GAP_HOURS} hours, and refused beyond that.
 * @throws InputFileError saying what is wrong, in which line, and what to do
 */
export function readEpw(file: string): HourlyWeather {
  const lines = readTextLines(file, "weather file (.epw)");
  const header = parseEpwHeader(lines, file);
  const { columns: raw, lineOf } = parseEpwRows(lines, header.dataLine, file);
  fillPressure(raw, header.place);
  fillHumidity(raw);
  fillIrradiance(raw, header.place);
  for (const name of Object.keys(raw) as ColumnName[]) bridgeGaps(raw[name], name, file, lineOf);
  for (const name of ["globalHorizontal", "directNormal", "diffuseHorizontal"] as const) {
    raw[name].forEach((value, hour, all) => {
      all[hour] = Math.max(0, value);
    });
  }
  const { relativeHumidity: _, ...columns } = raw;
  return { place: header.place, firstWeekday: header.firstWeekday, ...columns };
}

function fillPressure(raw: RawColumns, place: Place): void {
  const fallback = standardPressure(place.elevation);
  raw.pressure.forEach((value, hour, all) => {
    if (Number.isNaN(value)) all[hour] = fallback;
  });
}

/** Dew point from relative humidity and back, so that each is there where either was. */
function fillHumidity(raw: RawColumns): void {
  const { dryBulb, dewPoint, relativeHumidity } = raw;
  for (let hour = 0; hour < HOURS_A_YEAR; hour++) {
    const air = dryBulb[hour]!;
    const dew = dewPoint[hour]!;
    const humidity = relativeHumidity[hour]!;
    if (Number.isNaN(dew)) dewPoint[hour] = dewPointOf(air, Math.max(humidity, 1));
    else if (Number.isNaN(humidity)) relativeHumidity[hour] = relativeHumidityOf(air, dew);
  }
}

/** global = diffuse + direct · cos(zenith) gives any one from the others; Erbs gives two from global. */
function fillIrradiance(raw: RawColumns, place: Place): void {
  const { globalHorizontal, directNormal, diffuseHorizontal } = raw;
  const cosines = cosineOfZenithByHour(place);
  for (let hour = 0; hour < HOURS_A_YEAR; hour++) {
    const global = globalHorizontal[hour]!;
    const direct = directNormal[hour]!;
    const diffuse = diffuseHorizontal[hour]!;
    if (!Number.isNaN(global + direct + diffuse)) continue;
    const cosine = Math.max(cosines[hour]!, 0);
    if (Number.isNaN(global)) {
      globalHorizontal[hour] = diffuse + direct * cosine;
    } else if (Number.isNaN(diffuse)) {
      const split = Number.isNaN(direct) ? global * diffuseFraction(global, cosine, hour) : global - direct * cosine;
      diffuseHorizontal[hour] = Math.max(0, split);
    }
    if (Number.isNaN(direct)) directNormal[hour] = beamOf(raw, hour, cosine);
  }
}

function diffuseFraction(global: number, cosine: number, hour: number): number {
  const day = Math.floor(hour / 24) + 1;
  return cosine > 0.02 ? erbsDiffuseFraction(global / (extraterrestrialNormal(day) * cosine)) : 1;
}

function beamOf(raw: RawColumns, hour: number, cosine: number): number {
  const beam = raw.globalHorizontal[hour]! - raw.diffuseHorizontal[hour]!;
  if (Number.isNaN(beam)) return Number.NaN;
  return cosine > 0.02 ? Math.min(Math.max(0, beam / cosine), 1100) : 0;
}

type LineOf = (hour: number) => number;

function bridgeGaps(values: Float64Array, name: ColumnName, file: string, lineOf: LineOf): void {
  let hour = 0;
  while (hour < values.length) {
    if (!Number.isNaN(values[hour])) {
      hour++;
      continue;
    }
    const start = hour;
    while (hour < values.length && Number.isNaN(values[hour])) hour++;
    if (hour - start > LONGEST_GAP_HOURS) refuseGap(name, hour - start, { file, line: lineOf(start) });
    const before = values[start === 0 ? hour : start - 1]!;
    const after = values[hour === values.length ? start - 1 : hour]!;
    for (let gap = start; gap < hour; gap++) {
      values[gap] = before + ((after - before) * (gap - start + 1)) / (hour - start + 1);
    }
  }
}

function refuseGap(name: ColumnName, length: number, where: { file: string; line: number }): never {
  const { position, missing } = COLUMNS[name];
  throw new InputFileError(
    where,
    `Column ${position + 1} (${name}) is missing (blank or ${missing}) for ${length} hours from here on.`,
    `At most ${LONGEST_GAP_HOURS} hours can be filled in: use a complete file for this place.`,
  );
}

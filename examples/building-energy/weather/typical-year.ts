import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { relativeHumidityOf } from "../model/psychrometrics.ts";
import { extraterrestrialNormal, sunDirection } from "../model/solar.ts";
import { HOURS_A_YEAR, MONTH_DAYS } from "./hourly-weather.ts";
import { CLIMATES, type ClimateName, type MonthlyNormals } from "./normals.ts";
import { seededRandom } from "./random.ts";
import { type TypicalYear, typicalHours } from "./typical-hours.ts";

/** The year that stands in the rows; 2017 began on a Sunday, as the file says. */
const YEAR = 2017;
const SEED = 20_170_101;

/**
 * Writes a synthetic typical year in EPW format: 8 header lines, 8,760 rows of 35 columns. Its monthly means of dry
 * bulb, dew point, wind speed and global irradiation are the published normals'; the days within a month are made up by
 * a seeded generator, so the same file comes out every time. What is not modelled has its missing-value code. Whole or
 * not at all: written beside and renamed.
 */
export function writeTypicalYear(climate: ClimateName, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, typicalYearEpw(CLIMATES[climate]));
  renameSync(temporary, path);
}

/** The text of the file. */
export function typicalYearEpw(normals: MonthlyNormals, seed = SEED): string {
  const year = typicalHours(normals, seededRandom(seed));
  return `${[...header(normals), ...rows(year)].join("\n")}\n`;
}

function header(normals: MonthlyNormals): string[] {
  const { name, latitude, longitude, timeZone, elevation } = normals.place;
  const place = [latitude.toFixed(2), longitude.toFixed(2), timeZone.toFixed(1), elevation.toFixed(1)];
  return [
    ["LOCATION", name, "-", "USA", "Synthetic", normals.wmo, ...place].join(","),
    "DESIGN CONDITIONS,0",
    "TYPICAL/EXTREME PERIODS,0",
    "GROUND TEMPERATURES,0",
    "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
    `COMMENTS 1,SYNTHETIC TYPICAL YEAR made from monthly normals; not measured data. Normals: ${normals.source}`,
    "COMMENTS 2,Days by a seeded generator; hours by ASHRAE's diurnal curve and Collares-Pereira/Rabl; beam by Erbs",
    "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31",
  ];
}

/** Rounds hour by hour and carries what it rounds away into the next, so that a month's mean survives rounding. */
function rounder(decimals: number): (value: number) => string {
  let carry = 0;
  return (value) => {
    if (value === 0) return "0";
    const text = Math.max(value + carry, value < 0 ? Number.NEGATIVE_INFINITY : 0).toFixed(decimals);
    carry += value - Number(text);
    return text;
  };
}

function rows(year: TypicalYear): string[] {
  const round = {
    dryBulb: rounder(2),
    dewPoint: rounder(2),
    windSpeed: rounder(2),
    global: rounder(0),
    direct: rounder(0),
    diffuse: rounder(0),
  };
  const dates = calendar();
  return Array.from({ length: HOURS_A_YEAR }, (_, hour) => {
    const [air, dew] = [year.dryBulb[hour]!, year.dewPoint[hour]!];
    const outside = outsideAtmosphere(year, hour);
    const irradiance = [
      round.global(year.globalHorizontal[hour]!),
      round.direct(year.directNormal[hour]!),
      round.diffuse(year.diffuseHorizontal[hour]!),
    ];
    return [
      ...[YEAR, ...dates[hour]!, 60, "?9?9?9?9E0?9?9?9?9?9?9?9?9?9?9?9?9?9?9?9?9?9?9?9?9"],
      ...[round.dryBulb(air), round.dewPoint(dew), relativeHumidityOf(air, dew).toFixed(0)],
      ...[year.pressure[hour]!.toFixed(0), ...outside, 9999, ...irradiance],
      ...[999999, 999999, 999999, 9999], // illuminances, zenith luminance
      ...[999, round.windSpeed(year.windSpeed[hour]!), 99, 99], // wind direction, speed, sky covers
      ...[9999, 99999, 9, 999999999, 999, ".999", 999, 99, 999, 999, 99], // visibility … liquid precipitation
    ].join(",");
  });
}

/** Extraterrestrial irradiance on the horizontal and normal to the sun [Wh/m2], as texts. */
function outsideAtmosphere(year: TypicalYear, hour: number): [string, string] {
  const day = Math.floor(hour / 24) + 1;
  const { up } = sunDirection(year.place, day, (hour % 24) + 0.5);
  if (up <= 0) return ["0", "0"];
  const normal = extraterrestrialNormal(day);
  return [(normal * up).toFixed(0), normal.toFixed(0)];
}

/** Month, day and hour (1 … 24) of each hour of the year. */
function calendar(): [number, number, number][] {
  return MONTH_DAYS.flatMap((days, month) =>
    Array.from({ length: days * 24 }, (_, hour): [number, number, number] => {
      return [month + 1, Math.floor(hour / 24) + 1, (hour % 24) + 1];
    }),
  );
}

/** Day by day: how the days of a typical year scatter about its monthly means. */
import { declination, extraterrestrialNormal } from "../model/solar.ts";
import { MONTH_STARTS } from "./hourly-weather.ts";
import type { MonthlyNormals } from "./normals.ts";
import { persistentSeries } from "./random.ts";

export const DAYS_A_YEAR = 365;

/** 365 values each. */
export interface TypicalDays {
  /** daily clearness index: global horizontal over extraterrestrial horizontal */
  clearness: Float64Array;
  /** departure of the day's mean dry bulb from the season's [K] */
  warmth: Float64Array;
  /** wind speed relative to the month's mean */
  gustiness: Float64Array;
}

/** Correlation of a day's mean temperature with the next day's, and of its clearness: usual mid-latitude values. */
const MEMORY_OF_WARMTH = 0.65;
const MEMORY_OF_CLEARNESS = 0.3;

export function typicalDays(normals: MonthlyNormals, random: () => number): TypicalDays {
  const warmth = persistentSeries(DAYS_A_YEAR, MEMORY_OF_WARMTH, random).map((value, day) => {
    const { january, july } = normals.dayToDay;
    const winter = 0.5 + 0.5 * Math.cos((2 * Math.PI * (day - 15)) / DAYS_A_YEAR);
    return value * (july + (january - july) * winter);
  });
  const sunniness = persistentSeries(DAYS_A_YEAR, MEMORY_OF_CLEARNESS, random);
  const gustiness = persistentSeries(DAYS_A_YEAR, MEMORY_OF_CLEARNESS, random).map((value) => Math.exp(0.35 * value));
  return { clearness: clearnessOfDays(normals, sunniness), warmth, gustiness };
}

/** Extraterrestrial irradiation on the horizontal in a day [Wh/m2]; Duffie and Beckman 2013, eq. 1.10.3. */
export function extraterrestrialDay(latitude: number, day: number): number {
  const phi = (latitude * Math.PI) / 180;
  const delta = (declination(day) * Math.PI) / 180;
  const sunset = Math.acos(Math.min(1, Math.max(-1, -Math.tan(phi) * Math.tan(delta))));
  const swing = Math.cos(phi) * Math.cos(delta) * Math.sin(sunset) + sunset * Math.sin(phi) * Math.sin(delta);
  return (24 / Math.PI) * extraterrestrialNormal(day) * swing;
}

/** The month's mean clearness, spread over its days by the distribution of Liu and Jordan, sunniest day highest. */
function clearnessOfDays(normals: MonthlyNormals, sunniness: Float64Array): Float64Array {
  const clearness = new Float64Array(DAYS_A_YEAR);
  normals.globalHorizontal.forEach((mean, month) => {
    const first = MONTH_STARTS[month]! / 24;
    const count = MONTH_STARTS[month + 1]! / 24 - first;
    const outside = Array.from({ length: count }, (_, index) => {
      return extraterrestrialDay(normals.place.latitude, first + index + 1);
    });
    const monthly = (mean * count) / outside.reduce((sum, value) => sum + value, 0);
    const order = Array.from(outside.keys()).sort((a, b) => sunniness[first + a]! - sunniness[first + b]!);
    order.forEach((index, rank) => {
      clearness[first + index] = clearnessQuantile((rank + 0.5) / count, monthly);
    });
  });
  return clearness;
}

/**
 * Daily clearness below which the share `f` of a month's days lies, in a month of mean clearness `mean`; Bendt et al.
 * 1981 with the limits of Hollands and Huget 1983, Duffie and Beckman 2013, eq. 2.9.2–2.9.7.
 */
export function clearnessQuantile(f: number, mean: number): number {
  const least = 0.05;
  const most = 0.6313 + 0.267 * mean - 11.9 * (mean - 0.75) ** 8;
  const xi = (most - least) / (most - mean);
  const gamma = -1.498 + (1.184 * xi - 27.182 * Math.exp(-1.5 * xi)) / (most - least);
  const [low, high] = [Math.exp(gamma * least), Math.exp(gamma * most)];
  return Math.log(low + f * (high - low)) / gamma;
}

/** Weather in the form that the hour loop needs: what does not depend on the building is worked out once a weather file. */
import { statSync } from "node:fs";
import { readEpw } from "../weather/epw.ts";
import { HOURS_A_YEAR, type HourlyWeather } from "../weather/hourly-weather.ts";
import { SURFACE_PLANES } from "./building.ts";
import { enthalpy, humidityRatio } from "./psychrometrics.ts";
import { HOURS_A_WEEK } from "./schedules.ts";
import { hourlyIrradiance } from "./solar.ts";

/** All arrays are as long as `hours`; a year has 8,760, a design day's run some hundreds. */
export interface Climate {
  hours: number;
  /** hour of the week, 0 = Monday's first */
  weekHour: Uint8Array;
  /** [degC] */
  dryBulb: Float64Array;
  /** [kg/kg] */
  humidityRatio: Float64Array;
  /** [J/kg] */
  enthalpy: Float64Array;
  /** on each of `SURFACES` [W/m2] */
  irradiance: readonly Float64Array[];
}

export function climateOf(weather: HourlyWeather): Climate {
  const start = weather.firstWeekday * 24;
  const ratio = weather.dewPoint.map((dew, hour) => {
    const air = weather.dryBulb[hour]!;
    return humidityRatio(Math.min(dew, air), weather.pressure[hour]!);
  });
  return {
    hours: HOURS_A_YEAR,
    weekHour: Uint8Array.from({ length: HOURS_A_YEAR }, (_, hour) => (start + hour) % HOURS_A_WEEK),
    dryBulb: weather.dryBulb,
    humidityRatio: ratio,
    enthalpy: weather.dryBulb.map((air, hour) => enthalpy(air, ratio[hour]!)),
    irradiance: hourlyIrradiance(weather, SURFACE_PLANES),
  };
}

/** A weather file as read: for the hour loop, and as it stands in the file. */
export interface LoadedWeather {
  weather: HourlyWeather;
  climate: Climate;
}

const CACHE_SIZE = 8;
const cache = new Map<string, LoadedWeather>();

/**
 * Reads an EPW file, or takes it from a small least-recently-used cache (a worker process sees the same few files again
 * and again). A file with another size or time of change is read anew. About 1 MB a file.
 * @throws InputFileError as `readEpw`
 */
export function loadWeather(file: string): LoadedWeather {
  const stats = statSync(file, { throwIfNoEntry: false });
  const key = `${file}\0${stats?.mtimeMs}\0${stats?.size}`;
  const known = cache.get(key);
  if (known) {
    cache.delete(key); // set again below: a Map keeps the order of insertion
    cache.set(key, known);
    return known;
  }
  const weather = readEpw(file);
  const loaded = { weather, climate: climateOf(weather) };
  cache.set(key, loaded);
  for (const oldest of cache.keys()) {
    if (cache.size <= CACHE_SIZE) break;
    cache.delete(oldest);
  }
  return loaded;
}

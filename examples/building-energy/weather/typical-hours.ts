/** Hour by hour: a typical year whose monthly means are the normals'. */
import { standardPressure } from "../model/psychrometrics.ts";
import { DAILY_RANGE_SHARES } from "../model/sizing.ts";
import { cosineOfZenithByHour, declination, erbsDiffuseFraction, extraterrestrialNormal } from "../model/solar.ts";
import { HOURS_A_YEAR, type HourlyWeather } from "./hourly-weather.ts";
import {
  between,
  dayOf,
  monthOf,
  relativeToMonth,
  scaledToMonths,
  season,
  shiftedToMonths,
  sum,
} from "./monthly-means.ts";
import type { MonthlyNormals } from "./normals.ts";
import { extraterrestrialDay, type TypicalDays, typicalDays } from "./typical-days.ts";

/** As {@link HourlyWeather}, with the wind that only the file needs [m/s]. */
export interface TypicalYear extends HourlyWeather {
  windSpeed: Float64Array;
}

const MEAN_SHARE = DAILY_RANGE_SHARES.reduce((sum, share) => sum + share, 0) / 24;
const SUNDAY = 6;

/** @param random numbers from 0 up to 1 */
export function typicalHours(normals: MonthlyNormals, random: () => number): TypicalYear {
  const days = typicalDays(normals, random);
  const dryBulb = dryBulbOf(normals, days);
  return {
    place: normals.place,
    firstWeekday: SUNDAY,
    dryBulb,
    dewPoint: dewPointsOf(normals, days, dryBulb),
    pressure: new Float64Array(HOURS_A_YEAR).fill(standardPressure(normals.place.elevation)),
    windSpeed: windSpeedOf(normals, days),
    ...irradianceOf(normals, days),
  };
}

/** Season + weather of the day + diurnal curve (ASHRAE's shape, wider on clear days), then shifted to the month's mean. */
function dryBulbOf(normals: MonthlyNormals, days: TypicalDays): Float64Array {
  const relativeClearness = relativeToMonth(days.clearness);
  const hours = Float64Array.from({ length: HOURS_A_YEAR }, (_, hour) => {
    const range = normals.diurnalRange[monthOf(hour)]! * (0.4 + 0.6 * relativeClearness[dayOf(hour)]!);
    const weather = between(days.warmth, hour);
    return season(normals.dryBulb, hour) + weather + range * (MEAN_SHARE - DAILY_RANGE_SHARES[hour % 24]!);
  });
  return shiftedToMonths(hours, normals.dryBulb);
}

/** Follows the weather of the day, and never rises above the air's temperature. */
function dewPointsOf(normals: MonthlyNormals, days: TypicalDays, dryBulb: Float64Array): Float64Array {
  const wished = Float64Array.from({ length: HOURS_A_YEAR }, (_, hour) => {
    return season(normals.dewPoint, hour) + 0.8 * between(days.warmth, hour);
  });
  return shiftedToMonths(wished, normals.dewPoint, dryBulb);
}

function windSpeedOf(normals: MonthlyNormals, days: TypicalDays): Float64Array {
  const hours = Float64Array.from({ length: HOURS_A_YEAR }, (_, hour) => {
    const afternoon = 1 + 0.25 * Math.cos((2 * Math.PI * ((hour % 24) + 0.5 - 15)) / 24);
    return between(days.gustiness, hour) * afternoon;
  });
  return scaledToMonths(hours, normals.windSpeed);
}

/** A day's irradiation over its hours by Collares-Pereira and Rabl 1979, and into beam and diffuse by Erbs 1982. */
function irradianceOf(normals: MonthlyNormals, days: TypicalDays) {
  const { latitude } = normals.place;
  const cosines = cosineOfZenithByHour(normals.place);
  const shape = cosines.map((up, hour) => dailyShape(up, dayOf(hour) + 1, latitude));
  const daySums = Float64Array.from(days.clearness, (_, day) => sum(shape, day * 24, day * 24 + 24));
  const raw = shape.map((value, hour) => {
    const day = dayOf(hour);
    return (value / daySums[day]!) * days.clearness[day]! * extraterrestrialDay(latitude, day + 1);
  });
  const daily = normals.globalHorizontal.map((value) => value / 24);
  const globalHorizontal = scaledToMonths(raw, daily);
  const diffuseHorizontal = globalHorizontal.map((global, hour) => {
    const outside = extraterrestrialNormal(dayOf(hour) + 1) * cosines[hour]!;
    return cosines[hour]! > 0.05 ? global * erbsDiffuseFraction(global / outside) : global;
  });
  const directNormal = globalHorizontal.map((global, hour) => {
    return cosines[hour]! > 0.05 ? (global - diffuseHorizontal[hour]!) / cosines[hour]! : 0;
  });
  return { globalHorizontal, directNormal, diffuseHorizontal };
}

/** Duffie and Beckman 2013, eq. 2.13.2, as a weight: a + b cos ω times cos ω − cos ω_s, which goes as cos θ_z = `up`. */
function dailyShape(up: number, day: number, latitude: number): number {
  if (up <= 0) return 0;
  const phi = (latitude * Math.PI) / 180;
  const delta = (declination(day) * Math.PI) / 180;
  const sunset = Math.acos(Math.min(1, Math.max(-1, -Math.tan(phi) * Math.tan(delta))));
  const cosHour = (up - Math.sin(phi) * Math.sin(delta)) / (Math.cos(phi) * Math.cos(delta));
  const a = 0.409 + 0.5016 * Math.sin(sunset - Math.PI / 3);
  const b = 0.6609 - 0.4767 * Math.sin(sunset - Math.PI / 3);
  return (a + b * cosHour) * up;
}

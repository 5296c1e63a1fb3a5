/** Plant capacity from design days, as an engineer would size it: no more than ASHRAE 90.1 lets a baseline plant have. */
import type { DesignDay, DesignDays } from "../weather/ddy.ts";
import { MONTH_DAYS, type Place } from "../weather/hourly-weather.ts";
import { AIR_HEAT_CAPACITY } from "./air-system.ts";
import { envelopeOf, SMALL_OFFICE, SURFACE_PLANES } from "./building.ts";
import { clearSky } from "./clear-sky.ts";
import type { Climate } from "./climate.ts";
import { simulate } from "./simulate.ts";
import { extraterrestrialNormal, irradianceOn, sunDirection } from "./solar.ts";
import type { OfficeInputs, PlantCapacity } from "./zone.ts";

/** ASHRAE 90.1-2019 appendix G, G3.1.2.2: oversizing of baseline plants */
const HEATING_OVERSIZE = 1.25;
const COOLING_OVERSIZE = 1.15;

/** Share of the daily range by which each hour is below the maximum; ASHRAE Fundamentals 2009, chapter 14, table 6. */
export const DAILY_RANGE_SHARES: readonly number[] = [
  0.88, 0.92, 0.95, 0.98, 1, 0.98, 0.91, 0.74, 0.55, 0.38, 0.23, 0.13, 0.05, 0, 0, 0.06, 0.14, 0.24, 0.39, 0.5, 0.59,
  0.68, 0.75, 0.82,
];

/** A design day is repeated until the building's mass swings with it; the last repetition counts. */
const REPETITIONS = 21;
const TUESDAY = 24;

/**
 * Heating: steady heat loss at the heating setpoint with the ventilation of working hours, without sun, people or
 * lights, times 1.25 (which also serves the warm-up after the night). Cooling: the largest sensible need of a repeated
 * working design day without economizer, times 1.15.
 */
export function sizePlant(inputs: OfficeInputs, days: DesignDays, place: Place): PlantCapacity {
  return {
    heating: HEATING_OVERSIZE * steadyHeatLoss(inputs, days.heating.maxDryBulb),
    cooling: COOLING_OVERSIZE * peakCooling(inputs, days.cooling, place),
  };
}

function steadyHeatLoss(inputs: OfficeInputs, outdoor: number): number {
  const design = SMALL_OFFICE;
  const { hEm, hMs, hW, hIs, skyLoss } = envelopeOf(design, inputs.rValue);
  const behindSurfaces = hW + 1 / (1 / hEm + 1 / hMs);
  const transmission = 1 / (1 / hIs + 1 / behindSurfaces);
  const airflow = (design.infiltration * design.volume) / 3600 + design.outdoorAir * design.floorArea;
  return (transmission + AIR_HEAT_CAPACITY * airflow) * Math.max(0, inputs.setpoint - outdoor) + skyLoss;
}

function peakCooling(inputs: OfficeInputs, day: DesignDay, place: Place): number {
  const climate = designDayClimate(day, place);
  const { uses } = simulate({ ...inputs, economizer: "NoEconomizer" }, climate, { warmUpHours: 0 });
  return Math.max(...uses.cooling.subarray(-24)) * SMALL_OFFICE.floorArea;
}

/** A repeated clear Tuesday; with air so dry that all cooling is sensible. */
function designDayClimate(day: DesignDay, place: Place): Climate {
  const hours = 24 * REPETITIONS;
  const dayOfYear = MONTH_DAYS.slice(0, day.month - 1).reduce((sum, days) => sum + days, 0) + day.day;
  const outside = extraterrestrialNormal(dayOfYear);
  const irradiance = SURFACE_PLANES.map(() => new Float64Array(hours));
  for (let hour = 0; hour < 24; hour++) {
    const sun = sunDirection(place, dayOfYear, hour + 0.5);
    const { direct, diffuse } = clearSky(day.sky, day.month, dayOfYear, sun.up);
    const sky = { sun, direct, diffuse, outside, global: direct * Math.max(0, sun.up) + diffuse };
    SURFACE_PLANES.forEach((plane, index) => {
      for (let at = hour; at < hours; at += 24) irradiance[index]![at] = irradianceOn(plane, sky);
    });
  }
  const dryBulb = Float64Array.from({ length: hours }, (_, hour) => {
    return day.maxDryBulb - day.dryBulbRange * DAILY_RANGE_SHARES[hour % 24]!;
  });
  return {
    hours,
    weekHour: Uint8Array.from({ length: hours }, (_, hour) => TUESDAY + (hour % 24)),
    dryBulb,
    humidityRatio: new Float64Array(hours),
    enthalpy: dryBulb.map((air) => 1006 * air),
    irradiance,
  };
}

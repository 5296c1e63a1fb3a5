/**
 * Published monthly climate means of two places, for typical years made without a network. Twelve values, January …
 * December. Every number is as published; only °F are turned into °C.
 *
 * Sources, by field:
 * - San Francisco: all from the statistical report of USA_CA_San.Francisco.Intl.AP.724940_TMY3 (NREL TMY3), as printed
 *   in U.S. DOE, *EnergyPlus Auxiliary Programs*, "Statistical Report File": Daily Avg dry bulb, dew point and wind
 *   speed, Global Avg; the diurnal range is the largest less the smallest of Average Hourly Dry Bulb.
 * - Chicago: mean and diurnal range (high less low) from the NOAA 1981–2010 U.S. Climate Normals of Chicago O'Hare AP
 *   (USW00094846), as published by the Illinois State Climatologist. These normals hold no dew point, wind or
 *   irradiation: those are monthly means over the hours of NREL TMY3 725300 (Chicago O'Hare), whose selected months
 *   need not match the normals' temperatures.
 */
import type { Place } from "./hourly-weather.ts";

export interface MonthlyNormals {
  place: Place;
  /** World Meteorological Organization number of the station */
  wmo: string;
  /** one line for the EPW header */
  source: string;
  /** mean dry bulb [degC] */
  dryBulb: readonly number[];
  /** daily maximum less minimum of the dry bulb [K] */
  diurnalRange: readonly number[];
  /** mean dew point [degC] */
  dewPoint: readonly number[];
  /** mean wind speed [m/s] */
  windSpeed: readonly number[];
  /** mean daily global horizontal irradiation [Wh/m2] */
  globalHorizontal: readonly number[];
  /** standard deviation of a day's mean dry bulb in January and in July [K]: an assumption, not a published normal */
  dayToDay: { january: number; july: number };
}

function celsius(...fahrenheit: readonly number[]): number[] {
  return fahrenheit.map((value) => (value - 32) / 1.8);
}

const OHARE_HIGH = celsius(31.0, 35.3, 46.6, 59.0, 70.0, 79.7, 84.1, 81.9, 74.8, 62.3, 48.2, 34.8);
const OHARE_LOW = celsius(16.5, 20.1, 29.2, 38.8, 48.3, 58.1, 63.9, 62.9, 54.3, 42.8, 32.4, 20.7);

const CHICAGO: MonthlyNormals = {
  place: { name: "Chicago (synthetic)", latitude: 41.98, longitude: -87.92, timeZone: -6, elevation: 201 },
  wmo: "725300",
  source: "NOAA 1981-2010 normals USW00094846 (dry bulb) and NREL TMY3 725300 monthly means (dew point; wind; sun)",
  dryBulb: celsius(23.8, 27.7, 37.9, 48.9, 59.1, 68.9, 74.0, 72.4, 64.6, 52.5, 40.3, 27.7),
  diurnalRange: OHARE_HIGH.map((high, month) => high - OHARE_LOW[month]!),
  dewPoint: [-9.41, -8.15, -1.48, 4.0, 7.2, 12.96, 18.65, 16.57, 12.89, 4.95, 0.4, -7.65],
  windSpeed: [4.88, 5.07, 5.49, 4.83, 3.75, 4.89, 4.24, 3.85, 3.41, 4.79, 5.3, 4.29],
  globalHorizontal: [1764, 2493, 3440, 4394, 5976, 6294, 6177, 5161, 4193, 2941, 1819, 1504],
  dayToDay: { january: 5.5, july: 2.8 },
};

const SAN_FRANCISCO: MonthlyNormals = {
  place: { name: "San Francisco (synthetic)", latitude: 37.62, longitude: -122.4, timeZone: -8, elevation: 2 },
  wmo: "724940",
  source: "NREL TMY3 724940 monthly statistics as printed in EnergyPlus Auxiliary Programs",
  dryBulb: [9.6, 11.3, 12.7, 13.7, 15.0, 15.3, 15.9, 16.6, 16.7, 15.1, 12.8, 10.7],
  diurnalRange: [4.1, 6.8, 7.3, 6.1, 7.5, 9.1, 7.3, 8.2, 7.6, 7.2, 5.1, 4.5],
  dewPoint: [6.4, 6.6, 8.1, 8.2, 9.4, 10.0, 10.7, 11.5, 12.5, 9.4, 8.3, 6.1],
  windSpeed: [2.5, 3.5, 5.1, 4.8, 6.5, 5.6, 5.7, 5.5, 4.8, 3.9, 2.7, 3.6],
  globalHorizontal: [2136, 3160, 4402, 5672, 6419, 7148, 7129, 6401, 5460, 3761, 2530, 2127],
  dayToDay: { january: 1.8, july: 1.5 },
};

export const CLIMATES = { chicago: CHICAGO, sanFrancisco: SAN_FRANCISCO } as const;
export type ClimateName = keyof typeof CLIMATES;

/**
 * Sun position and irradiance on tilted surfaces. Angles are in radians within, degrees outside; azimuth is 0 = north,
 * 90 = east. D&B is Duffie and Beckman, *Solar Engineering of Thermal Processes*, 4th ed. (2013).
 */
import { HOURS_A_YEAR, type HourlyWeather, type Place } from "../weather/hourly-weather.ts";

const RADIANS = Math.PI / 180;
/** [W/m2], Gueymard 2004 as rounded in D&B 1.2 */
const SOLAR_CONSTANT = 1367;
const GROUND_ALBEDO = 0.2;

/** Solar declination [deg] on day 1 … 365; Spencer 1971, D&B eq. 1.6.1b (within 0.04°). */
export function declination(day: number): number {
  const b = ((day - 1) * 2 * Math.PI) / 365;
  const radians =
    0.006918 -
    0.399912 * Math.cos(b) +
    0.070257 * Math.sin(b) -
    0.006758 * Math.cos(2 * b) +
    0.000907 * Math.sin(2 * b) -
    0.002697 * Math.cos(3 * b) +
    0.00148 * Math.sin(3 * b);
  return radians / RADIANS;
}

/** Apparent minus mean solar time [min] on day 1 … 365; Spencer 1971, D&B eq. 1.5.3. */
export function equationOfTime(day: number): number {
  const b = ((day - 1) * 2 * Math.PI) / 365;
  return (
    229.2 *
    (0.000075 +
      0.001868 * Math.cos(b) -
      0.032077 * Math.sin(b) -
      0.014615 * Math.cos(2 * b) -
      0.04089 * Math.sin(2 * b))
  );
}

/** Irradiance normal to the sun outside the atmosphere [W/m2]; D&B eq. 1.4.1a. */
export function extraterrestrialNormal(day: number): number {
  return SOLAR_CONSTANT * (1 + 0.033 * Math.cos((2 * Math.PI * day) / 365));
}

/** Where the sun is, as direction cosines: up (= cosine of the zenith angle), north and east. */
export interface SunDirection {
  up: number;
  north: number;
  east: number;
}

/** The sun at a day (1 … 365) and local standard time [h]; D&B eq. 1.6.5. Writes into and returns `out`. */
export function sunDirection(
  place: Pick<Place, "latitude" | "longitude" | "timeZone">,
  day: number,
  standardTime: number,
  out: SunDirection = { up: 0, north: 0, east: 0 },
): SunDirection {
  const solarTime = standardTime + place.longitude / 15 - place.timeZone + equationOfTime(day) / 60;
  const hourAngle = (solarTime - 12) * 15 * RADIANS;
  const delta = declination(day) * RADIANS;
  const latitude = place.latitude * RADIANS;
  out.up = Math.cos(latitude) * Math.cos(delta) * Math.cos(hourAngle) + Math.sin(latitude) * Math.sin(delta);
  out.north = Math.cos(latitude) * Math.sin(delta) - Math.sin(latitude) * Math.cos(delta) * Math.cos(hourAngle);
  out.east = -Math.cos(delta) * Math.sin(hourAngle);
  return out;
}

/** Cosine of the sun's zenith angle at the middle of each of the 8,760 hours. */
export function cosineOfZenithByHour(place: Place): Float64Array {
  const sun = { up: 0, north: 0, east: 0 };
  return Float64Array.from({ length: HOURS_A_YEAR }, (_, hour) => {
    return sunDirection(place, Math.floor(hour / 24) + 1, (hour % 24) + 0.5, sun).up;
  });
}

/** Diffuse share of global irradiance in an hour of clearness `kt`; Erbs, Klein and Duffie 1982, D&B eq. 2.10.1. */
export function erbsDiffuseFraction(kt: number): number {
  if (kt <= 0.22) return 1 - 0.09 * kt;
  if (kt > 0.8) return 0.165;
  return 0.9511 + kt * (-0.1604 + kt * (4.388 + kt * (-16.638 + kt * 12.336)));
}

/** A plane: tilt 0 = facing up, 90 = a wall; azimuth 0 = facing north, 90 = east. [deg] */
export interface Plane {
  tilt: number;
  azimuth: number;
}

/** Weather and solar geometry of one moment, for {@link irradianceOn}. */
export interface Sky {
  sun: SunDirection;
  /** [W/m2] */
  global: number;
  direct: number;
  diffuse: number;
  /** extraterrestrial normal [W/m2] */
  outside: number;
}

/** Total irradiance [W/m2] on a plane: beam, anisotropic diffuse and ground-reflected; HDKR (Reindl 1990), D&B eq. 2.16.7. */
export function irradianceOn(plane: Plane, sky: Sky): number {
  const { sun, global, direct, diffuse, outside } = sky;
  if (global <= 0 && direct <= 0 && diffuse <= 0) return 0;
  const cosTilt = Math.cos(plane.tilt * RADIANS);
  const sinTilt = Math.sin(plane.tilt * RADIANS);
  const azimuth = plane.azimuth * RADIANS;
  const incidence = sun.up * cosTilt + sinTilt * (sun.north * Math.cos(azimuth) + sun.east * Math.sin(azimuth));
  const cosIncidence = sun.up > 0 ? Math.max(0, incidence) : 0;
  // Below 5° the ratio of cosines runs away, and with it the circumsolar part
  const ratio = cosIncidence / Math.max(sun.up, 0.087);
  const anisotropy = sun.up > 0 ? Math.min(direct / outside, 1) : 0;
  const beamShare = global > 0 ? Math.min((direct * Math.max(sun.up, 0)) / global, 1) : 0;
  const horizon = 1 + Math.sqrt(beamShare) * Math.sin((plane.tilt * RADIANS) / 2) ** 3;
  const isotropic = diffuse * (1 - anisotropy) * ((1 + cosTilt) / 2) * horizon;
  const reflected = (global * GROUND_ALBEDO * (1 - cosTilt)) / 2;
  return direct * cosIncidence + diffuse * anisotropy * ratio + isotropic + reflected;
}

/** Irradiance [W/m2] on several planes in each of the 8,760 hours, with the sun at mid-hour. */
export function hourlyIrradiance(weather: HourlyWeather, planes: readonly Plane[]): Float64Array[] {
  const totals = planes.map(() => new Float64Array(HOURS_A_YEAR));
  const sky: Sky = { sun: { up: 0, north: 0, east: 0 }, global: 0, direct: 0, diffuse: 0, outside: 0 };
  for (let hour = 0; hour < HOURS_A_YEAR; hour++) {
    const day = Math.floor(hour / 24) + 1;
    sky.global = weather.globalHorizontal[hour]!;
    sky.direct = weather.directNormal[hour]!;
    sky.diffuse = weather.diffuseHorizontal[hour]!;
    if (sky.global <= 0 && sky.direct <= 0 && sky.diffuse <= 0) continue;
    sky.outside = extraterrestrialNormal(day);
    sunDirection(weather.place, day, (hour % 24) + 0.5, sky.sun);
    planes.forEach((plane, index) => {
      totals[index]![hour] = irradianceOn(plane, sky);
    });
  }
  return totals;
}

import { apogeeAltitude, type Elements, perigeeAltitude, propagate } from "./orbit.ts";

export type OrbitClass = "LEO" | "MEO" | "GEO" | "HEO";

const LEO_LIMIT_KM = 2000;
const HEO_ECCENTRICITY = 0.25;
const GEOSYNCHRONOUS_PERIOD_MIN = 1436.07;
/** The mean Sun's motion along the equator: 360 degrees in a tropical year. */
const SUN_RATE_DEG_PER_DAY = 360 / 365.2422;

/** Low, medium, geosynchronous (period within 1 % of a sidereal day) or highly elliptical (e above 0.25). */
export function orbitClass(elements: Elements): OrbitClass {
  if (elements.eccentricity > HEO_ECCENTRICITY) return "HEO";
  if (apogeeAltitude(elements) < LEO_LIMIT_KM) return "LEO";
  const { period_min } = propagate(elements, 0);
  return Math.abs(period_min / GEOSYNCHRONOUS_PERIOD_MIN - 1) < 0.01 ? "GEO" : "MEO";
}

/** Whether the node follows the Sun to 0.03 deg/day: it then keeps its local time to an hour for 16 months or more. */
export function isSunSynchronous(elements: Elements): boolean {
  if (perigeeAltitude(elements) > 6000) return false;
  return Math.abs(propagate(elements, 0).raan_rate_deg_per_day - SUN_RATE_DEG_PER_DAY) < 0.03;
}

/**
 * The Sun's direction and how long a satellite is in the Earth's shadow.
 *
 * Source: D. A. Vallado, "Fundamentals of Astrodynamics and Applications", 4th ed. (2013), algorithm 29 (the Sun to about
 * 0.01 deg between 1950 and 2050) and section 5.3 (cylindrical shadow).
 */
import { EARTH_RADIUS_KM, type Elements, RAD_PER_DEG, SECONDS_PER_DAY, solveKepler } from "./orbit.ts";

/** A unit vector in the inertial frame of the elements. */
export type Direction = readonly [x: number, y: number, z: number];

const J2000_MS = Date.UTC(2000, 0, 1, 12);
const DAYS_PER_CENTURY = 36_525;
const SAMPLES = 720;

/**
 * Direction from the Earth to the Sun.
 *
 * @param time milliseconds since 1970-01-01T00:00Z
 */
export function sunDirection(time: number): Direction {
  const centuries = (time - J2000_MS) / (SECONDS_PER_DAY * 1000) / DAYS_PER_CENTURY;
  const anomaly = (357.5291092 + 35999.05034 * centuries) * RAD_PER_DEG;
  const meanLongitude = 280.46 + 36000.771 * centuries;
  const equation = 1.914666471 * Math.sin(anomaly) + 0.019994643 * Math.sin(2 * anomaly);
  const longitude = (meanLongitude + equation) * RAD_PER_DEG;
  const obliquity = (23.439291 - 0.0130042 * centuries) * RAD_PER_DEG;
  return [Math.cos(longitude), Math.cos(obliquity) * Math.sin(longitude), Math.sin(obliquity) * Math.sin(longitude)];
}

/**
 * Fraction of a revolution that a satellite spends in the Earth's shadow, taken as a cylinder: no penumbra, no
 * refraction. The orbit stands still during the revolution; 720 samples, evenly spaced in time.
 *
 * @returns 0 to 1
 */
export function eclipseFraction(elements: Elements, sun: Direction): number {
  const [toPerigee, toSide] = orbitAxes(elements);
  const sunToPerigee = dot(toPerigee, sun);
  const sunToSide = dot(toSide, sun);
  const a = elements.semi_major_axis_km;
  const e = elements.eccentricity;
  const b = a * Math.sqrt(1 - e * e);
  let dark = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const anomaly = solveKepler(((sample + 0.5) / SAMPLES) * 2 * Math.PI, e);
    const p = a * (Math.cos(anomaly) - e);
    const q = b * Math.sin(anomaly);
    const towardsSun = p * sunToPerigee + q * sunToSide;
    const offAxis2 = p * p + q * q - towardsSun * towardsSun;
    if (towardsSun < 0 && offAxis2 < EARTH_RADIUS_KM * EARTH_RADIUS_KM) dark++;
  }
  return dark / SAMPLES;
}

/** Unit vectors in the orbital plane: to the perigee, and 90 degrees on from it along the motion. */
function orbitAxes(elements: Elements): [Direction, Direction] {
  const cosI = Math.cos(elements.inclination_deg * RAD_PER_DEG);
  const sinI = Math.sin(elements.inclination_deg * RAD_PER_DEG);
  const cosO = Math.cos(elements.raan_deg * RAD_PER_DEG);
  const sinO = Math.sin(elements.raan_deg * RAD_PER_DEG);
  const cosW = Math.cos(elements.arg_perigee_deg * RAD_PER_DEG);
  const sinW = Math.sin(elements.arg_perigee_deg * RAD_PER_DEG);
  return [
    [cosO * cosW - sinO * sinW * cosI, sinO * cosW + cosO * sinW * cosI, sinW * sinI],
    [-cosO * sinW - sinO * cosW * cosI, -sinO * sinW + cosO * cosW * cosI, cosW * sinI],
  ];
}

function dot(left: Direction, right: Direction): number {
  return left[0] * right[0] + left[1] * right[1] + left[2] * right[2];
}

/**
 * Two-body motion with the secular effect of the Earth's oblateness (J2).
 *
 * Source of every formula and constant: D. A. Vallado, "Fundamentals of Astrodynamics and Applications", 4th ed. (2013):
 * Kepler's equation, algorithm 2; secular J2 rates, equations 9-37, 9-39 and 9-41; EGM-08 constants, table D-1.
 */

/** Gravitational parameter of the Earth [km3/s2]. */
export const MU_KM3_S2 = 398600.4415;
/** Equatorial radius of the Earth [km]. */
export const EARTH_RADIUS_KM = 6378.1363;
/** Second zonal harmonic of the Earth's gravity field, unnormalised. */
export const J2 = 0.0010826261738522;
/** Rotation of the Earth against the stars [deg/day]. */
export const EARTH_ROTATION_DEG_PER_DAY = 360.985647366;

export const SECONDS_PER_DAY = 86_400;
export const RAD_PER_DEG = Math.PI / 180;
const DEG_PER_RAD = 180 / Math.PI;
const TWO_PI = 2 * Math.PI;
const KEPLER_TOLERANCE_RAD = 1e-12;
const KEPLER_MAX_ITERATIONS = 50;

/** Mean orbital elements of an Earth satellite; angles in the true equator, mean equinox frame of the epoch. */
export interface Elements {
  readonly semi_major_axis_km: number;
  /** 0 (circle) to below 1 (ellipse). */
  readonly eccentricity: number;
  readonly inclination_deg: number;
  /** Right ascension of the ascending node. */
  readonly raan_deg: number;
  readonly arg_perigee_deg: number;
  readonly mean_anomaly_deg: number;
}

/** What becomes of an orbit: its period, its slow turning, and where the satellite is in the end (inertial frame). */
export interface Propagated {
  readonly period_min: number;
  readonly raan_rate_deg_per_day: number;
  readonly arg_perigee_rate_deg_per_day: number;
  readonly x_km: number;
  readonly y_km: number;
  readonly z_km: number;
}

/**
 * Solves Kepler's equation, E - e sin E = M, by Newton's method.
 *
 * Newton starts at or right of the root, where the function is convex, so it converges for every ellipse.
 *
 * @param meanAnomaly M [rad], any turn
 * @param eccentricity e, 0 <= e < 1
 * @returns E [rad] in [-pi, pi], to 1e-12
 * @throws RangeError where e is no ellipse's, or M is not finite
 */
export function solveKepler(meanAnomaly: number, eccentricity: number): number {
  if (!(eccentricity >= 0 && eccentricity < 1)) {
    throw new RangeError(`Eccentricity ${eccentricity} is not that of an ellipse: give one from 0 to below 1.`);
  }
  const wrapped = meanAnomaly - TWO_PI * Math.floor((meanAnomaly + Math.PI) / TWO_PI);
  const target = Math.abs(wrapped);
  let anomaly = Math.min(target + eccentricity, Math.PI);
  for (let iteration = 0; iteration < KEPLER_MAX_ITERATIONS; iteration++) {
    const step = (anomaly - eccentricity * Math.sin(anomaly) - target) / (1 - eccentricity * Math.cos(anomaly));
    anomaly -= step;
    if (Math.abs(step) < KEPLER_TOLERANCE_RAD) return wrapped < 0 ? -anomaly : anomaly;
  }
  throw new RangeError(`Kepler's equation did not converge for M = ${meanAnomaly} rad, e = ${eccentricity}.`);
}

/**
 * Propagates mean elements by a number of days under two-body motion and secular J2.
 *
 * Takes about a microsecond and allocates its result only; it trusts its input (see {@link assertOrbit}).
 *
 * @param elements mean elements at the epoch
 * @param days time after the epoch [d]
 * @throws RangeError where the eccentricity is no ellipse's
 */
export function propagate(elements: Elements, days = 1): Propagated {
  const a = elements.semi_major_axis_km;
  const e = elements.eccentricity;
  const inclination = elements.inclination_deg * RAD_PER_DEG;
  const sinI = Math.sin(inclination);
  const cosI = Math.cos(inclination);

  const n = Math.sqrt(MU_KM3_S2 / (a * a * a));
  const eta2 = 1 - e * e;
  const eta = Math.sqrt(eta2);
  const radiusOverP = EARTH_RADIUS_KM / (a * eta2);
  const k = 0.75 * n * J2 * radiusOverP * radiusOverP;
  const raanRate = -2 * k * cosI;
  const argPerigeeRate = k * (4 - 5 * sinI * sinI);
  const meanAnomalyRate = n + k * eta * (2 - 3 * sinI * sinI);

  const seconds = days * SECONDS_PER_DAY;
  const raan = elements.raan_deg * RAD_PER_DEG + raanRate * seconds;
  const argPerigee = elements.arg_perigee_deg * RAD_PER_DEG + argPerigeeRate * seconds;
  const E = solveKepler(elements.mean_anomaly_deg * RAD_PER_DEG + meanAnomalyRate * seconds, e);

  // Position in the orbital plane, perigee along the first axis.
  const p = a * (Math.cos(E) - e);
  const q = a * eta * Math.sin(E);
  const cosW = Math.cos(argPerigee);
  const sinW = Math.sin(argPerigee);
  const toNode = p * cosW - q * sinW;
  const acrossNode = p * sinW + q * cosW;
  const cosO = Math.cos(raan);
  const sinO = Math.sin(raan);
  const toDegPerDay = DEG_PER_RAD * SECONDS_PER_DAY;
  return {
    period_min: TWO_PI / n / 60,
    raan_rate_deg_per_day: raanRate * toDegPerDay,
    arg_perigee_rate_deg_per_day: argPerigeeRate * toDegPerDay,
    x_km: toNode * cosO - acrossNode * cosI * sinO,
    y_km: toNode * sinO + acrossNode * cosI * cosO,
    z_km: acrossNode * sinI,
  };
}

/** Height of the lowest point of the orbit above the equatorial radius [km]. */
export function perigeeAltitude(elements: Elements): number {
  return elements.semi_major_axis_km * (1 - elements.eccentricity) - EARTH_RADIUS_KM;
}

/** Height of the highest point of the orbit above the equatorial radius [km]. */
export function apogeeAltitude(elements: Elements): number {
  return elements.semi_major_axis_km * (1 + elements.eccentricity) - EARTH_RADIUS_KM;
}

/**
 * How far west each ascending node lies of the one before, on the turning Earth.
 *
 * @returns degrees; for a geostationary satellite about 360
 */
export function groundTrackShift(propagated: Propagated): number {
  const days = propagated.period_min / 1440;
  return (EARTH_ROTATION_DEG_PER_DAY - propagated.raan_rate_deg_per_day) * days;
}

/** @throws RangeError where the orbit goes through the Earth */
export function assertOrbit(elements: Elements): void {
  const altitude = perigeeAltitude(elements);
  if (altitude > 0) return;
  throw new RangeError(
    `The orbit goes through the Earth: its perigee altitude is ${altitude.toFixed(1)} km ` +
      `(semi_major_axis_km = ${elements.semi_major_axis_km}, eccentricity = ${elements.eccentricity}). ` +
      "Raise semi_major_axis_km or lower eccentricity.",
  );
}

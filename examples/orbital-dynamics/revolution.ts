import { EARTH_RADIUS_KM, type Elements, MU_KM3_S2, solveKepler } from "./orbit.ts";

/** One row of the metrics table. */
export interface Step {
  /** 0 at the perigee, then evenly spaced in time. */
  readonly step: number;
  /** 0 to below 360. */
  readonly true_anomaly_deg: number;
  readonly radius_km: number;
  readonly speed_km_s: number;
  /** Above the equatorial radius. */
  readonly altitude_km: number;
}

/** The shape of one revolution from the perigee on, in steps of equal time (two-body motion; speed by vis-viva). */
export function oneRevolution(elements: Elements, steps: number): Step[] {
  const a = elements.semi_major_axis_km;
  const e = elements.eccentricity;
  return Array.from({ length: steps }, (_, step) => {
    const anomaly = solveKepler((step / steps) * 2 * Math.PI, e);
    const radius = a * (1 - e * Math.cos(anomaly));
    const trueAnomaly = Math.atan2(Math.sqrt(1 - e * e) * Math.sin(anomaly), Math.cos(anomaly) - e);
    return {
      step,
      true_anomaly_deg: ((trueAnomaly * 180) / Math.PI + 360) % 360,
      radius_km: radius,
      speed_km_s: Math.sqrt(MU_KM3_S2 * (2 / radius - 1 / a)),
      altitude_km: radius - EARTH_RADIUS_KM,
    };
  });
}

import { defineExperiment, table } from "scythe-ts";
import { z } from "zod";
import { apogeeAltitude, assertOrbit, groundTrackShift, perigeeAltitude, propagate } from "./orbit.ts";
import { isSunSynchronous, orbitClass } from "./orbit-class.ts";
import { oneRevolution } from "./revolution.ts";
import { eclipseFraction, sunDirection } from "./shadow.ts";

const STEPS_PER_REVOLUTION = 24;

const elements = {
  semi_major_axis_km: z.number().min(6378.1363).max(400_000).describe("Mean semi-major axis [km]"),
  eccentricity: z.number().min(0).max(0.95).describe("Eccentricity [-]"),
  inclination_deg: z.number().min(0).max(180).describe("Inclination [deg]"),
  raan_deg: z.number().min(0).max(360).describe("Right ascension of the ascending node [deg]"),
  arg_perigee_deg: z.number().min(0).max(360).describe("Argument of perigee [deg]"),
  mean_anomaly_deg: z.number().min(0).max(360).describe("Mean anomaly [deg]"),
};

const propagated = {
  period_min: z.number().positive().describe("Keplerian period [min]"),
  raan_rate_deg_per_day: z.number().describe("Secular J2 rate of the ascending node [deg/d]"),
  arg_perigee_rate_deg_per_day: z.number().describe("Secular J2 rate of the argument of perigee [deg/d]"),
  x_km: z.number().describe("Inertial position, first axis [km]"),
  y_km: z.number().describe("Inertial position, second axis [km]"),
  z_km: z.number().describe("Inertial position, polar axis [km]"),
};

/** One satellite: its orbit's shape and drift, its place after some days, its time in shadow, and a noisy measurement. */
export const orbitalDynamics = defineExperiment({
  name: "orbital_dynamics",
  description: "Orbit of an Earth satellite under two-body motion and secular J2, with a noisy range measurement",
  input: z.object({
    name: z.string().min(1).describe("Name of the satellite"),
    norad_id: z.number().int().positive().describe("Number in the catalogue of the U.S. Space Force"),
    epoch: z.iso.datetime().describe("Epoch of the elements [ISO 8601, UTC]"),
    ...elements,
    days: z.number().min(0).max(30).describe("Time to propagate by [d]"),
    range_noise_m: z.number().min(0).max(10_000).describe("Standard deviation of the range measurement [m]"),
  }),
  output: z.object({
    ...propagated,
    perigee_altitude_km: z.number().describe("Perigee above the equatorial radius [km]"),
    apogee_altitude_km: z.number().describe("Apogee above the equatorial radius [km]"),
    ground_track_shift_deg: z.number().describe("Westward shift of the ground track a revolution [deg]"),
    eclipse_fraction: z.number().min(0).max(1).describe("Share of a revolution in the Earth's shadow [-]"),
    measured_range_km: z.number().describe("Distance from the geocentre in the end, as measured [km]"),
  }),
  tables: {
    metrics: table(
      z.object({
        step: z.number().int().describe("Step of the revolution, from the perigee on, equal in time"),
        true_anomaly_deg: z.number().describe("True anomaly [deg]"),
        radius_km: z.number().describe("Distance from the geocentre [km]"),
        speed_km_s: z.number().describe("Inertial speed [km/s]"),
        altitude_km: z.number().describe("Height above the equatorial radius [km]"),
      }),
      { index: ["step"] },
    ),
  },
  computedFeatures: (input) => ({ orbit_class: orbitClass(input), sun_synchronous: isSunSynchronous(input) }),
  run(input, ctx) {
    assertOrbit(input);
    const end = propagate(input, input.days);
    const range = Math.hypot(end.x_km, end.y_km, end.z_km);
    return {
      ...end,
      perigee_altitude_km: perigeeAltitude(input),
      apogee_altitude_km: apogeeAltitude(input),
      ground_track_shift_deg: groundTrackShift(end),
      eclipse_fraction: eclipseFraction(input, sunDirection(Date.parse(input.epoch))),
      measured_range_km: range + ctx.random.normal(0, input.range_noise_m / 1000),
      tables: { metrics: oneRevolution(input, STEPS_PER_REVOLUTION) },
    };
  },
});

/** Six numbers in, six numbers out, propagated by one day: the cheapest experiment, and the one the benchmark runs. */
export const orbitalScalars = defineExperiment({
  name: "orbital_scalars",
  description: "Orbit of an Earth satellite after one day under two-body motion and secular J2: scalars only",
  input: z.object(elements),
  output: z.object(propagated),
  run: (input) => propagate(input),
});

/**
 * The benchmark's specs, the same to the last bit as those of spec_generator.py.
 *
 * Numbers come from one linear congruential generator ("Numerical Recipes", 3rd ed., section 7.1):
 * state = (1664525 state + 1013904223) mod 2^32, begun at the seed; each draw is the new state / 2^32, in [0, 1).
 * A spec takes six draws, in this order: perigee altitude 300 to 35,300 km, eccentricity 0 to 0.6, inclination 0 to
 * 180 deg, node, argument of perigee and mean anomaly 0 to 360 deg. The semi-major axis follows from the first two.
 */
const EARTH_RADIUS_KM = 6378.1363;

/**
 * @param {number} count how many specs
 * @param {number} [seed] 0 to 2^32 - 1
 * @returns {Generator<import("../../examples/orbital-dynamics/orbit.ts").Elements>}
 */
export function* generateSpecs(count, seed = 1) {
  let state = seed >>> 0;
  const draw = () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return state / 4294967296;
  };
  for (let index = 0; index < count; index++) {
    const perigeeAltitude = 300 + 35000 * draw();
    const eccentricity = 0.6 * draw();
    yield {
      semi_major_axis_km: (EARTH_RADIUS_KM + perigeeAltitude) / (1 - eccentricity),
      eccentricity,
      inclination_deg: 180 * draw(),
      raan_deg: 360 * draw(),
      arg_perigee_deg: 360 * draw(),
      mean_anomaly_deg: 360 * draw(),
    };
  }
}

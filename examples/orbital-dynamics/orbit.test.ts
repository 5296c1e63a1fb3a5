import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  apogeeAltitude,
  assertOrbit,
  EARTH_RADIUS_KM,
  type Elements,
  groundTrackShift,
  MU_KM3_S2,
  perigeeAltitude,
  propagate,
  solveKepler,
} from "./orbit.ts";

const degrees = Math.PI / 180;

function orbit(changes: Partial<Elements>): Elements {
  return {
    semi_major_axis_km: 7000,
    eccentricity: 0,
    inclination_deg: 0,
    raan_deg: 0,
    arg_perigee_deg: 0,
    mean_anomaly_deg: 0,
    ...changes,
  };
}

const anyOrbit = fc.record({
  semi_major_axis_km: fc.double({ min: 20_000, max: 400_000, noNaN: true }),
  eccentricity: fc.double({ min: 0, max: 0.6, noNaN: true }),
  inclination_deg: fc.double({ min: 0, max: 180, noNaN: true }),
  raan_deg: fc.double({ min: 0, max: 360, noNaN: true }),
  arg_perigee_deg: fc.double({ min: 0, max: 360, noNaN: true }),
  mean_anomaly_deg: fc.double({ min: 0, max: 360, noNaN: true }),
});

describe("solveKepler", () => {
  test("Vallado, example 2-1", () => {
    expect(solveKepler(235.4 * degrees, 0.4) / degrees + 360).toBeCloseTo(220.512074767522, 9);
  });

  test("what it returns satisfies E - e sin E = M, up to a whole turn", () => {
    const eccentricity = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: -Math.PI, max: Math.PI, noNaN: true }), eccentricity, (M, e) => {
        const E = solveKepler(M, e);
        const left = E - e * Math.sin(E) - M;
        expect(Math.abs(left - 2 * Math.PI * Math.round(left / (2 * Math.PI)))).toBeLessThan(1e-12);
      }),
      { numRuns: 2000 },
    );
  });

  test("whole turns do not matter", () => {
    expect(solveKepler(1 + 200 * Math.PI, 0.7)).toBeCloseTo(solveKepler(1, 0.7), 10);
  });

  test.each([-0.1, 1, 2, Number.NaN])("refuses eccentricity %d", (e) => {
    expect(() => solveKepler(1, e)).toThrow(RangeError);
  });
});

describe("period", () => {
  test.each([
    ["ISS, 408 km by 422 km", 6793.2, 92.9, 0.1],
    ["GPS: half a sidereal day", 26_560.0, 717.98, 0.1],
    ["geostationary: a sidereal day", 42_164.17, 1436.07, 0.01],
  ])("of the %s", (_name, semi_major_axis_km, minutes, tolerance) => {
    expect(Math.abs(propagate(orbit({ semi_major_axis_km })).period_min - minutes)).toBeLessThan(tolerance);
  });
});

describe("secular J2 rates", () => {
  test("the node of a sun-synchronous orbit follows the Sun", () => {
    // 800 km circular, i = 98.6 deg: the textbook sun-synchronous pair.
    const { raan_rate_deg_per_day } = propagate(orbit({ semi_major_axis_km: 7178.14, inclination_deg: 98.603 }));
    expect(raan_rate_deg_per_day).toBeCloseTo(0.9856, 3);
  });

  test("the ISS's node goes west by 5 degrees a day", () => {
    const iss = orbit({ semi_major_axis_km: 6793, inclination_deg: 51.64 });
    expect(propagate(iss).raan_rate_deg_per_day).toBeCloseTo(-5.0, 1);
  });

  test("the perigee stands still at the critical inclination", () => {
    const critical = Math.asin(Math.sqrt(0.8)) / degrees;
    const molniya = orbit({ semi_major_axis_km: 26_600, eccentricity: 0.74, inclination_deg: critical });
    expect(propagate(molniya).arg_perigee_rate_deg_per_day).toBeCloseTo(0, 10);
  });
});

describe("position", () => {
  test("at the epoch is the perigee where the mean anomaly is zero", () => {
    const { x_km, y_km, z_km } = propagate(orbit({ semi_major_axis_km: 10_000, eccentricity: 0.3 }), 0);
    expect([x_km, y_km, z_km]).toEqual([7000, 0, 0]);
  });

  test("a quarter turn of a polar orbit ends over the pole", () => {
    const { x_km, y_km, z_km } = propagate(orbit({ inclination_deg: 90, mean_anomaly_deg: 90 }), 0);
    expect(Math.hypot(x_km, y_km)).toBeCloseTo(0, 8);
    expect(z_km).toBeCloseTo(7000, 8);
  });

  test("stays between perigee and apogee, and within the inclination's latitudes", () => {
    fc.assert(
      fc.property(anyOrbit, fc.double({ min: 0, max: 30, noNaN: true }), (elements, days) => {
        const { x_km, y_km, z_km } = propagate(elements, days);
        const radius = Math.hypot(x_km, y_km, z_km);
        expect(radius).toBeGreaterThan(perigeeAltitude(elements) + EARTH_RADIUS_KM - 1e-6);
        expect(radius).toBeLessThan(apogeeAltitude(elements) + EARTH_RADIUS_KM + 1e-6);
        expect(Math.abs(z_km) / radius).toBeLessThan(Math.sin(elements.inclination_deg * degrees) + 1e-9);
      }),
    );
  });

  test("changes at the speed of vis-viva, but for the slow drift", () => {
    const seconds = 1;
    fc.assert(
      fc.property(anyOrbit, (elements) => {
        const from = propagate(elements, 0.5);
        const to = propagate(elements, 0.5 + seconds / 86_400);
        const moved = Math.hypot(to.x_km - from.x_km, to.y_km - from.y_km, to.z_km - from.z_km);
        const radius = Math.hypot(from.x_km, from.y_km, from.z_km);
        const speed = Math.sqrt(MU_KM3_S2 * (2 / radius - 1 / elements.semi_major_axis_km));
        expect(Math.abs(moved / seconds / speed - 1)).toBeLessThan(2e-3);
      }),
    );
  });

  test("is one day on unless said otherwise", () => {
    expect(propagate(orbit({ eccentricity: 0.01 }))).toEqual(propagate(orbit({ eccentricity: 0.01 }), 1));
  });
});

test("the ground track of the ISS shifts by 23 degrees a revolution, of a geostationary satellite by a full turn", () => {
  const iss = orbit({ semi_major_axis_km: 6793, inclination_deg: 51.64 });
  expect(groundTrackShift(propagate(iss))).toBeCloseTo(23.6, 0);
  expect(groundTrackShift(propagate(orbit({ semi_major_axis_km: 42_164.17 })))).toBeCloseTo(360, 1);
});

test("assertOrbit names the height and the fields of an orbit through the Earth", () => {
  expect(() => assertOrbit(orbit({ eccentricity: 0.2 }))).toThrow(/-778\.1 km .*semi_major_axis_km = 7000.*0\.2/);
  expect(() => assertOrbit(orbit({}))).not.toThrow();
});

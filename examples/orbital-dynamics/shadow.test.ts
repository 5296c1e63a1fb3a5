import { describe, expect, test } from "vitest";
import { EARTH_RADIUS_KM } from "./orbit.ts";
import { eclipseFraction, sunDirection } from "./shadow.ts";

const equatorial = {
  eccentricity: 0,
  inclination_deg: 0,
  raan_deg: 0,
  arg_perigee_deg: 0,
  mean_anomaly_deg: 0,
};

test("sunDirection: Vallado, example 5-1 (2006-04-02)", () => {
  const [x, y, z] = sunDirection(Date.UTC(2006, 3, 2));
  const published = [0.9771945, 0.1924424, 0.0834308] as const;
  const distance = Math.hypot(...published);
  expect(x).toBeCloseTo(published[0] / distance, 5);
  expect(y).toBeCloseTo(published[1] / distance, 5);
  expect(z).toBeCloseTo(published[2] / distance, 5);
});

describe("eclipseFraction", () => {
  test.each([6800, 7178, 26_560, 42_164])("of a circle of %d km with the Sun in its plane", (semi_major_axis_km) => {
    const expected = Math.asin(EARTH_RADIUS_KM / semi_major_axis_km) / Math.PI;
    expect(eclipseFraction({ ...equatorial, semi_major_axis_km }, [0, 1, 0])).toBeCloseTo(expected, 2);
  });

  test("is none with the Sun over the orbit's pole", () => {
    expect(eclipseFraction({ ...equatorial, semi_major_axis_km: 6800 }, [0, 0, 1])).toBe(0);
  });

  test("is longer where a slow apogee lies in the shadow than where a fast perigee does", () => {
    const ellipse = { ...equatorial, semi_major_axis_km: 26_600, eccentricity: 0.74 };
    const apogee = eclipseFraction(ellipse, [1, 0, 0]);
    expect(apogee).toBeGreaterThan(2 * eclipseFraction(ellipse, [-1, 0, 0]));
  });
});

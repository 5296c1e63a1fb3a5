import { expect, test } from "vitest";
import { MU_KM3_S2 } from "./orbit.ts";
import { oneRevolution } from "./revolution.ts";

const ellipse = {
  semi_major_axis_km: 26_600,
  eccentricity: 0.74,
  inclination_deg: 63.4,
  raan_deg: 0,
  arg_perigee_deg: 270,
  mean_anomaly_deg: 0,
};

test("a revolution begins at the perigee and is at the apogee half way", () => {
  const rows = oneRevolution(ellipse, 24);
  expect(rows.map((row) => row.step)).toEqual(Array.from({ length: 24 }, (_, step) => step));
  expect(rows[0]?.true_anomaly_deg).toBe(0);
  expect(rows[0]?.radius_km).toBeCloseTo(26_600 * 0.26, 8);
  expect(rows[12]?.true_anomaly_deg).toBeCloseTo(180, 8);
  expect(rows[12]?.radius_km).toBeCloseTo(26_600 * 1.74, 8);
});

test("every step lies on the ellipse and keeps the energy", () => {
  const p = 26_600 * (1 - 0.74 ** 2);
  for (const { true_anomaly_deg, radius_km, speed_km_s } of oneRevolution(ellipse, 36)) {
    expect(radius_km).toBeCloseTo(p / (1 + 0.74 * Math.cos((true_anomaly_deg * Math.PI) / 180)), 6);
    expect(speed_km_s ** 2 / 2 - MU_KM3_S2 / radius_km).toBeCloseTo(-MU_KM3_S2 / 2 / 26_600, 9);
  }
});

import { describe, expect, it } from "vitest";
import type { DesignDay, DesignDays } from "../weather/ddy.ts";
import { clearSky } from "./clear-sky.ts";
import { DAILY_RANGE_SHARES, sizePlant } from "./sizing.ts";
import type { OfficeInputs } from "./zone.ts";

const inputs: OfficeInputs = { rValue: 2.5, lpd: 10, setpoint: 21, economizer: "DifferentialDryBulb" };
const place = { name: "Chicago", latitude: 41.98, longitude: -87.92, timeZone: -6, elevation: 201 };
const winter: DesignDay = {
  name: "winter",
  month: 1,
  day: 21,
  maxDryBulb: -20,
  dryBulbRange: 0,
  sky: { model: "clear", clearness: 0 },
};
const summer: DesignDay = {
  name: "summer",
  month: 7,
  day: 21,
  maxDryBulb: 33.3,
  dryBulbRange: 10.5,
  sky: { model: "tau", beamDepth: 0.455, diffuseDepth: 2.05 },
};
const days: DesignDays = { heating: winter, cooling: summer };

describe("plant size", () => {
  it("is of the order of a small office's: 40 to 150 W/m2", () => {
    const { heating, cooling } = sizePlant(inputs, days, place);
    for (const power of [heating, cooling]) {
      expect(power / 510).toBeGreaterThan(40);
      expect(power / 510).toBeLessThan(150);
    }
  });

  it("grows with a colder winter, a hotter summer, thinner walls and more lights", () => {
    const size = sizePlant(inputs, days, place);
    expect(sizePlant(inputs, { ...days, heating: { ...winter, maxDryBulb: -30 } }, place).heating).toBeGreaterThan(
      size.heating,
    );
    expect(sizePlant(inputs, { ...days, cooling: { ...summer, maxDryBulb: 38 } }, place).cooling).toBeGreaterThan(
      size.cooling,
    );
    expect(sizePlant({ ...inputs, rValue: 0 }, days, place).heating).toBeGreaterThan(size.heating);
    expect(sizePlant({ ...inputs, lpd: 20 }, days, place).cooling).toBeGreaterThan(size.cooling);
  });

  it("takes the older clear-sky model as well", () => {
    const older = { ...days, cooling: { ...summer, sky: { model: "clear", clearness: 1 } as const } };
    const ratio = sizePlant(inputs, older, place).cooling / sizePlant(inputs, days, place).cooling;
    expect(ratio).toBeGreaterThan(0.85);
    expect(ratio).toBeLessThan(1.15);
  });
});

describe("ASHRAE's clear sky", () => {
  it("is dark at night, and has the noon irradiance of the published optical depths", () => {
    expect(clearSky(summer.sky, 7, 202, 0)).toEqual({ direct: 0, diffuse: 0 });
    // San Francisco, 21 June: taub 0.353, taud 2.496 → Eb 923, Ed 108 W/m2 (statistical report of 724940_TMY3)
    const noon = Math.cos((37.62 - 23.45) * (Math.PI / 180));
    const { direct, diffuse } = clearSky({ model: "tau", beamDepth: 0.353, diffuseDepth: 2.496 }, 6, 172, noon);
    expect(Math.abs(direct - 923)).toBeLessThan(5);
    expect(Math.abs(diffuse - 108)).toBeLessThan(2);
  });
});

describe("the daily range", () => {
  it("has one coldest hour, and its hottest in the afternoon", () => {
    expect(DAILY_RANGE_SHARES).toHaveLength(24);
    expect(DAILY_RANGE_SHARES.indexOf(1)).toBe(4);
    expect(DAILY_RANGE_SHARES.indexOf(0)).toBe(13);
  });
});

import { describe, expect, it } from "vitest";
import {
  declination,
  equationOfTime,
  erbsDiffuseFraction,
  extraterrestrialNormal,
  irradianceOn,
  type SunDirection,
  sunDirection,
} from "./solar.ts";

const DEGREES = 180 / Math.PI;
const zenith = (sun: SunDirection) => Math.acos(sun.up) * DEGREES;
const azimuth = (sun: SunDirection) => (Math.atan2(sun.east, sun.north) * DEGREES + 360) % 360;

/** Standard time of a solar time, at a place on its zone's meridian. */
function atSolarTime(latitude: number, day: number, solarTime: number): SunDirection {
  return sunDirection({ latitude, longitude: 0, timeZone: 0 }, day, solarTime - equationOfTime(day) / 60);
}

describe("the sun's position", () => {
  it("is NREL's in its SPA example (Golden, 17 October 2003, 12:30:30) to what a year of whole days allows", () => {
    const sun = sunDirection({ latitude: 39.742476, longitude: -105.1786, timeZone: -7 }, 290, 12 + 30.5 / 60);
    expect(Math.abs(zenith(sun) - 50.11162)).toBeLessThan(0.4);
    expect(Math.abs(azimuth(sun) - 194.34024)).toBeLessThan(0.4);
  });

  it.each([
    { day: 44, time: 9.5, up: 66.5, from: 140 },
    { day: 182, time: 18.5, up: 79.6, from: 292 },
  ])("is Duffie and Beckman's in example 1.6.2, day $day", ({ day, time, up, from }) => {
    const sun = atSolarTime(43, day, time);
    expect(Math.abs(zenith(sun) - up)).toBeLessThan(0.5);
    expect(Math.abs(azimuth(sun) - from)).toBeLessThan(0.7);
  });

  it("follows the year: solstices, equinox, and the clock", () => {
    expect(declination(172)).toBeCloseTo(23.45, 1);
    expect(declination(355)).toBeCloseTo(-23.42, 1);
    expect(Math.abs(declination(80))).toBeLessThan(0.5);
    expect(equationOfTime(307)).toBeCloseTo(16.4, 0);
    expect(equationOfTime(42)).toBeCloseTo(-14.3, 0);
    expect(extraterrestrialNormal(3)).toBeGreaterThan(extraterrestrialNormal(185));
  });

  it("is to the north at noon in the southern hemisphere", () => {
    expect(atSolarTime(-34, 355, 12).north).toBeGreaterThan(0);
    expect(atSolarTime(34, 355, 12).north).toBeLessThan(0);
  });

  it("is a unit vector", () => {
    const { up, north, east } = atSolarTime(51, 100, 8.2);
    expect(up ** 2 + north ** 2 + east ** 2).toBeCloseTo(1, 12);
  });
});

describe("irradiance on a plane", () => {
  const sky = { global: 600, direct: 600, diffuse: 150, outside: 1367 };
  const on = (planeTilt: number, planeAzimuth: number, sun: SunDirection) =>
    irradianceOn({ tilt: planeTilt, azimuth: planeAzimuth }, { ...sky, sun });

  it("is beam and diffuse on the horizontal", () => {
    const sun = atSolarTime(40, 172, 11);
    expect(on(0, 0, sun)).toBeCloseTo(sky.direct * sun.up + sky.diffuse, 6);
  });

  it("is the same in the east before noon as in the west after it", () => {
    for (const hours of [1, 3, 5]) {
      expect(on(90, 90, atSolarTime(40, 172, 12 - hours))).toBeCloseTo(
        on(90, 270, atSolarTime(40, 172, 12 + hours)),
        6,
      );
    }
  });

  it("is most on the south at a winter noon, and equal on east and west", () => {
    const noon = atSolarTime(40, 355, 12);
    expect(on(90, 180, noon)).toBeGreaterThan(on(90, 90, noon));
    expect(on(90, 90, noon)).toBeCloseTo(on(90, 270, noon), 6);
    expect(on(90, 90, noon)).toBeGreaterThanOrEqual(on(90, 0, noon));
  });

  it("has no beam when the sun is down, and stays finite when it is low", () => {
    expect(on(90, 90, { up: -0.01, north: 0, east: 1 })).toBeLessThan(sky.diffuse + sky.global);
    expect(on(90, 90, { up: 0.001, north: 0, east: 1 })).toBeLessThan(3000);
    expect(irradianceOn({ tilt: 90, azimuth: 0 }, { ...sky, global: 0, direct: 0, diffuse: 0, sun: noSun })).toBe(0);
  });

  const noSun = { up: -1, north: 0, east: 0 };
});

describe("Erbs' diffuse fraction", () => {
  it("falls from all to a sixth, with hardly a step where the pieces meet", () => {
    expect(erbsDiffuseFraction(0)).toBe(1);
    expect(erbsDiffuseFraction(1)).toBe(0.165);
    expect(erbsDiffuseFraction(0.22)).toBeCloseTo(erbsDiffuseFraction(0.2201), 2);
    expect(erbsDiffuseFraction(0.8)).toBeCloseTo(erbsDiffuseFraction(0.8001), 2);
  });
});

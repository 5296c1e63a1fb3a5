import { describe, expect, it } from "vitest";
import {
  dewPointOf,
  enthalpy,
  humidityRatio,
  relativeHumidityOf,
  saturationPressure,
  standardPressure,
} from "./psychrometrics.ts";

function within(actual: number, expected: number, percent: number): void {
  expect(Math.abs(actual / expected - 1) * 100).toBeLessThan(percent);
}

describe("ASHRAE Fundamentals, chapter 1", () => {
  it.each([
    [-20, 103.26],
    [-10, 259.9],
    [0, 611.2],
    [20, 2338.9],
    [40, 7383.8],
  ])("table 3: saturation pressure at %d °C is %d Pa", (celsius, pascal) => {
    within(saturationPressure(celsius), pascal, 0.05);
  });

  it.each([
    [0, 0.003789, 9473],
    [10, 0.007661, 29353],
    [20, 0.014758, 57555],
    [30, 0.027332, 100006],
  ])("table 2: saturated air at %d °C holds %d kg/kg and %d J/kg", (celsius, ratio, joules) => {
    const saturated = humidityRatio(celsius, 101_325);
    within(saturated, ratio, 0.6); // the table is of a real gas
    within(enthalpy(celsius, saturated), joules, 0.6);
  });

  it.each([
    [0, 101_325],
    [500, 95_461],
    [1000, 89_875],
    [2000, 79_495],
  ])("table 1: standard pressure at %d m is %d Pa", (elevation, pascal) => {
    within(standardPressure(elevation), pascal, 0.01);
  });
});

describe("dew point", () => {
  it("is the air's temperature at saturation", () => {
    expect(dewPointOf(12.3, 100)).toBeCloseTo(12.3, 6);
  });

  it.each([
    [-15, 60],
    [0.5, 30],
    [25, 50],
    [35, 90],
  ])("goes back to relative humidity from %d °C and %d %%", (air, humidity) => {
    expect(relativeHumidityOf(air, dewPointOf(air, humidity))).toBeCloseTo(humidity, 4);
  });
});

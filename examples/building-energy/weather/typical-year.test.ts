import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cosineOfZenithByHour } from "../model/solar.ts";
import { sharedWeather } from "../shared-weather.ts";
import { readEpw } from "./epw.ts";
import { MONTH_STARTS } from "./hourly-weather.ts";
import { CLIMATES, type ClimateName } from "./normals.ts";
import { clearnessQuantile, extraterrestrialDay } from "./typical-days.ts";
import { typicalYearEpw, writeTypicalYear } from "./typical-year.ts";

const folder = mkdtempSync(join(tmpdir(), "typical-year-"));
afterAll(() => rmSync(folder, { recursive: true }));

function monthlyMeans(values: ArrayLike<number>): number[] {
  return MONTH_STARTS.slice(0, 12).map((from, month) => {
    const to = MONTH_STARTS[month + 1]!;
    let sum = 0;
    for (let hour = from; hour < to; hour++) sum += values[hour]!;
    return sum / (to - from);
  });
}

function expectMeans(values: ArrayLike<number>, normals: readonly number[], tolerance: number): void {
  monthlyMeans(values).forEach((mean, month) => {
    expect(Math.abs(mean - normals[month]!), `month ${month + 1}`).toBeLessThan(tolerance);
  });
}

describe.each(Object.keys(CLIMATES) as ClimateName[])("the typical year of %s", (name) => {
  const normals = CLIMATES[name];
  const path = join(folder, "made", `${name}.epw`);
  writeTypicalYear(name, path);
  const weather = readEpw(path);
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  const column = (number: number) => lines.slice(8).map((line) => Number(line.split(",")[number - 1]));

  it("has the normals' monthly means, to the rounding of the file", () => {
    expectMeans(weather.dryBulb, normals.dryBulb, 1e-4);
    expectMeans(weather.dewPoint, normals.dewPoint, 1e-4);
    expectMeans(column(22), normals.windSpeed, 1e-4);
    expectMeans(
      weather.globalHorizontal.map((value) => value * 24),
      normals.globalHorizontal,
      0.1,
    );
  });

  it("has the normals' mean diurnal range", () => {
    normals.diurnalRange.forEach((range, month) => {
      const [from, to] = [MONTH_STARTS[month]!, MONTH_STARTS[month + 1]!];
      const curve = Array.from({ length: 24 }, (_, hour) => {
        let sum = 0;
        for (let at = from + hour; at < to; at += 24) sum += weather.dryBulb[at]!;
        return (sum * 24) / (to - from);
      });
      expect(Math.abs(Math.max(...curve) - Math.min(...curve) - range)).toBeLessThan(0.6);
    });
  });

  it("says what it is, in a well-formed file", () => {
    expect(lines).toHaveLength(8768);
    expect(lines[0]).toMatch(/^LOCATION,.*synthetic.*,Synthetic,\d{6},/);
    expect(lines[5]).toMatch(/^COMMENTS 1,SYNTHETIC TYPICAL YEAR .* not measured data.*TMY3/);
    expect(lines[7]).toBe("DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31");
    expect(new Set(lines.slice(8).map((line) => line.split(",").length))).toEqual(new Set([35]));
    expect(lines.slice(0, 8).every((line) => line.split(",").length >= 2)).toBe(true);
  });

  it("is the same each time, and another with another seed", () => {
    expect(typicalYearEpw(normals)).toBe(`${lines.join("\n")}\n`);
    expect(typicalYearEpw(normals, 1)).not.toBe(typicalYearEpw(normals, 2));
  });

  it("is possible weather: dew below air, sun by day only, and no more than outside the atmosphere", () => {
    const cosines = cosineOfZenithByHour(normals.place);
    weather.dryBulb.forEach((air, hour) => {
      expect(weather.dewPoint[hour]).toBeLessThanOrEqual(air + 0.011);
      const [global, direct] = [weather.globalHorizontal[hour]!, weather.directNormal[hour]!];
      if (cosines[hour]! <= 0) expect(global).toBe(0);
      expect(direct).toBeLessThan(1100);
      expect(global).toBeLessThanOrEqual(0.9 * 1413 * Math.max(0, cosines[hour]!) + 1);
      const beam = direct * Math.max(0, cosines[hour]!);
      expect(Math.abs(beam + weather.diffuseHorizontal[hour]! - global)).toBeLessThan(2.5);
    });
  });
});

describe("the normals of Chicago", () => {
  const real = sharedWeather(".epw").find((file) => basename(file).startsWith("USA_IL_Chicago-OHare"));

  it.skipIf(real === undefined)("are TMY3's in dew point and sun", () => {
    const weather = readEpw(real!);
    expectMeans(weather.dewPoint, CLIMATES.chicago.dewPoint, 0.006);
    expectMeans(
      weather.globalHorizontal.map((value) => value * 24),
      CLIMATES.chicago.globalHorizontal,
      0.6,
    );
    expectMeans(weather.dryBulb, CLIMATES.chicago.dryBulb, 1.4); // NOAA's normals are of another set of years
  });
});

describe("daily clearness", () => {
  it("rises with its share of days, about the month's mean", () => {
    const shares = Array.from({ length: 200 }, (_, index) => (index + 0.5) / 200);
    for (const mean of [0.35, 0.5, 0.65]) {
      const values = shares.map((share) => clearnessQuantile(share, mean));
      expect(values).toEqual([...values].sort((a, b) => a - b));
      expect(values.reduce((sum, value) => sum + value, 0) / 200).toBeCloseTo(mean, 1);
    }
  });

  it("is of the irradiation outside the atmosphere: 33.8 MJ/m2 at 43° N on 15 April", () => {
    expect(extraterrestrialDay(43, 105) / 1000).toBeCloseTo(33.8 / 3.6, 1); // Duffie and Beckman, example 1.10.1
  });
});

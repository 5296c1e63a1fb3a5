import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadWeather } from "../model/climate.ts";
import { sharedWeather } from "../shared-weather.ts";
import { readEpw } from "./epw.ts";
import { InputFileError } from "./input-file-error.ts";
import { CLIMATES } from "./normals.ts";
import { typicalYearEpw } from "./typical-year.ts";

const folder = mkdtempSync(join(tmpdir(), "epw-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SOUND = typicalYearEpw(CLIMATES.chicago);
const FIRST_ROW = 8;
let written = 0;

function write(content: string | Buffer): string {
  const path = join(folder, `${++written}.epw`);
  writeFileSync(path, content);
  return path;
}

/** A sound file after a change of its lines (0-based; line 8 is the first hour). */
function changed(change: (lines: string[]) => void): string {
  const lines = SOUND.trimEnd().split("\n");
  change(lines);
  return write(`${lines.join("\n")}\n`);
}

/** Puts values into columns (1-based, as in the format's description) of data rows. */
function withValues(hours: readonly number[], values: Record<number, string>): string {
  return changed((lines) => {
    for (const hour of hours) {
      const fields = lines[FIRST_ROW + hour]!.split(",");
      for (const [column, value] of Object.entries(values)) fields[Number(column) - 1] = value;
      lines[FIRST_ROW + hour] = fields.join(",");
    }
  });
}

const hours = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

describe("a sound file", () => {
  const sound = readEpw(write(SOUND));

  it("has 8,760 finite hours", () => {
    for (const name of ["dryBulb", "dewPoint", "pressure", "globalHorizontal", "directNormal"] as const) {
      expect(sound[name]).toHaveLength(8760);
      expect(sound[name].every(Number.isFinite)).toBe(true);
    }
    expect(sound.place).toMatchObject({ latitude: 41.98, longitude: -87.92, timeZone: -6, elevation: 201 });
    expect(sound.firstWeekday).toBe(6);
  });

  it.each([
    ["CRLF", SOUND.replaceAll("\n", "\r\n")],
    ["a byte-order mark", `\uFEFF${SOUND}`],
    ["no newline at the end", SOUND.trimEnd()],
    ["blank lines at the end", `${SOUND}\n\n`],
    ["a lower-case header", SOUND.replace("LOCATION", "location").replace("DATA PERIODS", "Data Periods")],
    ["missing optional headers", SOUND.replace(/DESIGN CONDITIONS[\s\S]*?(?=COMMENTS 1)/, "")],
    ["a trailing comma", SOUND.replaceAll(/(,99)\n(?=2017)/g, "$1,\n")],
    ["32 columns", SOUND.replaceAll(/,999,999,99\n/g, "\n")],
  ])("is the same with %s", (_, text) => {
    expect(readEpw(write(text)).dryBulb).toEqual(sound.dryBulb);
  });

  it("loses the leap day of a leap year", () => {
    const leap = changed((lines) => {
      const first = FIRST_ROW + (31 + 28) * 24;
      const february29 = lines.slice(first - 24, first).map((line) => line.replace(",2,28,", ",2,29,"));
      lines.splice(first, 0, ...february29);
    });
    expect(readEpw(leap).dryBulb).toEqual(sound.dryBulb);
  });

  it("starts on the weekday its header says, on Sunday where it says none", () => {
    expect(readEpw(write(SOUND.replace("Data,Sunday", "Data,Thursday"))).firstWeekday).toBe(3);
    expect(readEpw(write(SOUND.replace("Data,Sunday", "Data,"))).firstWeekday).toBe(6);
  });

  it("is read again only when it has changed", () => {
    const path = write(SOUND);
    const first = loadWeather(path);
    expect(loadWeather(path)).toBe(first);
    utimesSync(path, 1000, 1000);
    expect(loadWeather(path)).not.toBe(first);
  });
});

describe("missing values", () => {
  it("are bridged over short gaps", () => {
    const { dryBulb } = readEpw(withValues(hours(100, 6), { 7: "99.9", 8: "99.9", 9: "999" }));
    const step = (dryBulb[106]! - dryBulb[99]!) / 7;
    for (let hour = 100; hour < 106; hour++) expect(dryBulb[hour]).toBeCloseTo(dryBulb[99]! + step * (hour - 99), 9);
  });

  it("are refused over long gaps, with the line", () => {
    const file = withValues(hours(100, 7), { 7: "99.9" });
    expect(() => readEpw(file)).toThrow(/line 109: Column 7 \(dryBulb\) is missing .* for 7 hours/);
  });

  it("follow from what is there: dew point, pressure, each irradiance", () => {
    const sound = readEpw(write(SOUND));
    const all = hours(0, 8760);
    const dew = readEpw(withValues(all, { 8: "99.9" })).dewPoint;
    expect(Math.abs(dew[4000]! - sound.dewPoint[4000]!)).toBeLessThan(0.2); // relative humidity is in whole percents
    expect(readEpw(withValues(all, { 10: "999999" })).pressure[7]).toBeCloseTo(sound.pressure[7]!, -1);
    for (const [column, name] of [
      [14, "globalHorizontal"],
      [15, "directNormal"],
      [16, "diffuseHorizontal"],
    ] as const) {
      const filled = readEpw(withValues(all, { [column]: "9999" }))[name];
      const error = filled.reduce((sum, value, hour) => sum + Math.abs(value - sound[name][hour]!), 0) / 8760;
      expect(error).toBeLessThan(3);
    }
    const split = readEpw(withValues(all, { 15: "9999", 16: "9999" }));
    const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
    expect(total(split.directNormal) / total(sound.directNormal)).toBeCloseTo(1, 1);
  });

  it("are refused where there is no irradiance at all", () => {
    const file = withValues(hours(0, 8760), { 14: "9999", 15: "9999", 16: "9999" });
    expect(() => readEpw(file)).toThrow(/line 9: Column 14 \(globalHorizontal\) is missing/);
  });
});

describe("a file that cannot be used", () => {
  const noFile = join(folder, "none.epw");
  it.each([
    ["is not there", noFile, /none\.epw: There is no such file\. Check the path/],
    ["is empty", write(""), /The file is empty\. Download or copy/],
    ["is a zip archive", write("PK\x03\x04…"), /zip archive.*Unpack/],
    ["is a web page", write("<!DOCTYPE html><html>404</html>"), /web page.*Download the file itself/],
    ["is a Git LFS pointer", write("version https://git-lfs.github.com/spec/v1\n"), /git lfs pull/],
    ["is UTF-16", write(Buffer.from(`\uFEFF${SOUND}`, "utf16le")), /UTF-16.*UTF-8/],
    ["is a CSV file", write("time,temperature\n1,2\n"), /line 1: No LOCATION header/],
    ["has no DATA PERIODS", write(SOUND.replace("DATA PERIODS", "DATES")), /No DATA PERIODS header/],
    ["has half a LOCATION", write(SOUND.replace(/LOCATION.*/, "LOCATION,Chicago")), /line 1: LOCATION has 2 fields/],
    ["has no latitude", write(SOUND.replace(",41.98,", ",,")), /latitude is "", not a number from -90 to 90/],
    ["has a wrong sign", write(SOUND.replace(",-87.92,", ",87.92,")), /are 11\.9 h apart\. Correct them/],
    ["has two periods", write(SOUND.replace("PERIODS,1,1", "PERIODS,2,1")), /line 8: The file has 2 data periods/],
    ["is sub-hourly", write(SOUND.replace("PERIODS,1,1", "PERIODS,1,4")), /4 records an hour\. Average/],
    ["is cut short", changed((lines) => lines.splice(5000)), /line 5000: The file has 4992 hourly rows.*cut short/],
    ["is too long", changed((lines) => lines.push(lines[10]!)), /8761 hourly rows.*Cut it to one year/],
    ["has a short row", changed((lines) => lines.splice(99, 1, "2017,1,4,20,60")), /line 100: The row has 5 columns/],
    ["has a doubled hour", changed((lines) => lines.splice(50, 1, lines[49]!)), /line 51: .* hour 19 comes next/],
    ["has words for numbers", withValues([10], { 7: "warm" }), /line 19: Column 7 \(dryBulb\) is "warm"/],
    ["is in kelvin", withValues([0], { 7: "270.1" }), /line 9: Column 7 .* not a number from -70 to 70/],
    ["has a decimal comma", withValues([3], { 7: "1,5" }), /line 12: The row has 36 columns.*decimal comma/],
  ])("%s: says so", (_, file, message) => {
    expect(() => readEpw(file)).toThrow(InputFileError);
    expect(() => readEpw(file)).toThrow(message);
  });

  it("counts lines of a leap year as they stand in the file", () => {
    const first = FIRST_ROW + (31 + 28) * 24;
    const leap = changed((lines) => {
      lines.splice(first, 0, ...lines.slice(first - 24, first).map((line) => line.replace(",2,28,", ",2,29,")));
      for (let index = first + 24; index < first + 34; index++) {
        lines[index] = lines[index]!.replace(/^((?:[^,]*,){6})[^,]*/, "$199.9");
      }
    });
    expect(() => readEpw(leap)).toThrow(new RegExp(`line ${first + 25}: `));
  });
});

describe.each(sharedWeather(".epw").map((file) => ({ name: basename(file), file })))("the real $name", ({ file }) => {
  it("is read whole", () => {
    const weather = readEpw(file);
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / 8760;
    expect(weather.dryBulb.every(Number.isFinite)).toBe(true);
    expect(mean(weather.dryBulb)).toBeGreaterThan(9);
    expect(mean(weather.dryBulb)).toBeLessThan(17);
    expect(Math.min(...weather.directNormal)).toBe(0);
    expect(mean(weather.globalHorizontal) * 8.76).toBeGreaterThan(1200);
    expect(mean(weather.globalHorizontal) * 8.76).toBeLessThan(1500);
    expect(weather.firstWeekday).toBe(name(file).startsWith("ITA") ? 3 : 6);
  });

  const name = (path: string) => basename(path);
});

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { generatedWeather } from "./generated-weather.ts";
import { END_USES } from "./model/simulate.ts";
import { reportLines, totalUse } from "./report.ts";
import { type OfficeSpec, runOffice } from "./run-office.ts";
import { sharedWeather } from "./shared-weather.ts";
import { officeSpecs } from "./specs.ts";

const folder = mkdtempSync(join(tmpdir(), "office-"));
afterAll(() => rmSync(folder, { recursive: true }));
const weatherFiles = generatedWeather(pathToFileURL(`${folder}/generated/`));
const usual = { r_value: 2.5, lpd: 10, setpoint: 21, economizer: "DifferentialDryBulb" } as const;

describe.each([...weatherFiles, ...sharedWeather(".epw")])("an office in %s", (weather_file) => {
  const output = runOffice({ ...usual, weather_file }, folder);
  const [header, ...rows] = readFileSync(output.timeseries, "utf8").trimEnd().split("\n");

  it("writes 8,760 hours that add up to its annual totals", () => {
    expect(header).toBe("hour,heating,cooling,lighting,equipment,fans,pumps,zone_air");
    expect(rows).toHaveLength(8760);
    const cells = rows.map((row) => row.split(",").map(Number));
    expect(cells.every((row, index) => row.length === 8 && row[0] === index + 1 && row.every(Number.isFinite))).toBe(
      true,
    );
    END_USES.forEach((use, index) => {
      const total = cells.reduce((sum, row) => sum + row[index + 1]!, 0) / 1000;
      expect(Math.abs(total - output[use])).toBeLessThan(0.005);
    });
  });

  it("has months that add up to its annual totals", () => {
    expect(output.tables.monthly).toHaveLength(12);
    for (const use of END_USES) {
      expect(output.tables.monthly.reduce((sum, row) => sum + row[use], 0)).toBeCloseTo(output[use], 9);
    }
  });

  it("uses a small office's amount of energy", () => {
    expect(totalUse({ ...usual, weather_file, ...output })).toBeGreaterThan(60);
    expect(totalUse({ ...usual, weather_file, ...output })).toBeLessThan(250);
  });
});

describe("a design-day file", () => {
  const weather_file = sharedWeather(".epw").find((file) => file.includes("Chicago"));
  const design_day_file = sharedWeather(".ddy")[0];

  it.skipIf(!weather_file || !design_day_file)("limits the plant, so that it gives no more than without", () => {
    const spec = { ...usual, weather_file: weather_file! };
    const free = runOffice(spec, folder);
    const sized = runOffice({ ...spec, design_day_file }, folder);
    expect(sized.heating).toBeLessThan(free.heating);
    expect(sized.heating).toBeGreaterThan(0.99 * free.heating);
    expect(sized.tables.monthly.reduce((sum, row) => sum + row.unmet_hours, 0)).toBeLessThan(300); // as 90.1 allows
  });

  it("that is a weather file is an error that says so", () => {
    const [chicago = ""] = weatherFiles;
    const spec = { ...usual, weather_file: chicago, design_day_file: chicago };
    expect(() => runOffice(spec, folder)).toThrow(/no SizingPeriod:DesignDay/);
  });
});

describe("the specs of the example", () => {
  const specs = [...officeSpecs(weatherFiles)];

  it("are 1,152 different ones", () => {
    expect(specs).toHaveLength(1152);
    expect(new Set(specs.map((spec) => JSON.stringify(spec))).size).toBe(1152);
  });

  it("make a report of six groups and two best specs", () => {
    const corners = specs.filter((spec: OfficeSpec) => spec.lpd === 9 && spec.setpoint === 20);
    const lines = reportLines(corners.map((spec) => ({ ...spec, ...runOffice(spec, folder) })));
    expect(lines.filter((line) => /^(chicago|san-francisco)-typical-year/.test(line))).toHaveLength(6);
    expect(lines.filter((line) => line.startsWith("least energy in"))).toHaveLength(2);
    expect(new Set(lines.slice(0, 9).map((line) => line.length)).size).toBeLessThanOrEqual(2);
  });
});

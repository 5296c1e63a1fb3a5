import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sharedWeather } from "../shared-weather.ts";
import { readDesignDays } from "./ddy.ts";

const folder = mkdtempSync(join(tmpdir(), "ddy-"));
afterAll(() => rmSync(folder, { recursive: true }));
let written = 0;

function write(text: string): string {
  const path = join(folder, `${++written}.ddy`);
  writeFileSync(path, text);
  return path;
}

function designDay(name: string, month: number, type: string, dryBulb: number | string, range: number): string {
  const sky = type === "SummerDesignDay" ? "ASHRAETau,,,0.455,2.05" : "ASHRAEClearSky,,,,,0.0";
  return `SizingPeriod:DesignDay,
    ${name}, !- Name; with a semicolon in its comment
    ${month}, 21, ${type}, ${dryBulb}, ${range}, DefaultMultipliers, , Wetbulb, 20, , , , ,
    98934., 4.9, 270, No, No, No, ${sky};\n`;
}

const WINTER = designDay("Town Ann Htg 99.6% Condns DB", 1, "WinterDesignDay", -20, 0);
const SUMMER = designDay("Town Ann Clg .4% Condns DB=>MWB", 7, "SummerDesignDay", 33.3, 10.5);

describe("design days", () => {
  it("are the annual 99.6 % and 0.4 % dry-bulb days among others", () => {
    const others = [
      designDay("Town Ann Htg Wind 99.6% Condns WS=>MCDB", 1, "WinterDesignDay", -30, 0),
      designDay("Town Ann Htg 99% Condns DB", 1, "WinterDesignDay", -16, 0),
      designDay("Town Ann Clg .4% Condns DP=>MDB", 7, "SummerDesignDay", 40, 10),
    ];
    const days = readDesignDays(write(`! a comment\r\n${[...others, WINTER, SUMMER].join("\r\n")}`));
    expect(days.heating).toMatchObject({ maxDryBulb: -20, dryBulbRange: 0, month: 1, day: 21 });
    expect(days.cooling).toMatchObject({ maxDryBulb: 33.3, dryBulbRange: 10.5, month: 7 });
    expect(days.cooling.sky).toEqual({ model: "tau", beamDepth: 0.455, diffuseDepth: 2.05 });
  });

  it("are the coldest and hottest where the names say nothing", () => {
    const days = readDesignDays(
      write(
        [
          designDay("w1", 1, "WinterDesignDay", -5, 0),
          designDay("w2", 12, "WinterDesignDay", -8, 0),
          designDay("s1", 7, "SummerDesignDay", 35, 9),
          designDay("s2", 8, "SummerDesignDay", 31, 9),
        ].join("\n"),
      ),
    );
    expect([days.heating.name, days.cooling.name]).toEqual(["w2", "s1"]);
  });

  it.each([
    ["an EPW file", "LOCATION,Chicago,IL,USA,TMY3\nDESIGN CONDITIONS,0\n", /no SizingPeriod:DesignDay.*Give the \.ddy/],
    ["nothing", "\n \n", /The file is empty/],
    ["winter only", WINTER, /no design day of the type SummerDesignDay/],
    ["a word for a temperature", WINTER + SUMMER.replace("33.3", "hot"), /maximum dry-bulb temperature.*"hot"/],
    ["old field order", WINTER.replace("WinterDesignDay", "3") + SUMMER, /line 2: .*EnergyPlus 7 or later|day type/],
  ])("a file with %s is refused, and told why", (_, text, message) => {
    expect(() => readDesignDays(write(text))).toThrow(message);
  });
});

describe.each(sharedWeather(".ddy").map((file) => ({ name: basename(file), file })))("the real $name", ({ file }) => {
  it("has ASHRAE's 2009 design conditions of Chicago O'Hare", () => {
    const { heating, cooling } = readDesignDays(file);
    expect(heating).toMatchObject({ name: expect.stringContaining("Ann Htg 99.6% Condns DB"), maxDryBulb: -20 });
    expect(cooling).toMatchObject({ name: expect.stringContaining("Ann Clg .4% Condns DB=>MWB"), maxDryBulb: 33.3 });
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sharedWeather } from "../shared-weather.ts";
import { writeTypicalYear } from "../weather/typical-year.ts";
import { SMALL_OFFICE } from "./building.ts";
import { type Climate, loadWeather } from "./climate.ts";
import { ECONOMIZERS } from "./economizer.ts";
import { imbalance, type SimulationOptions, simulate } from "./simulate.ts";
import { annualTotals, monthlyTotals } from "./totals.ts";
import type { OfficeInputs } from "./zone.ts";

const folder = mkdtempSync(join(tmpdir(), "building-energy-"));
const chicago = join(folder, "chicago.epw");
const sanFrancisco = join(folder, "san-francisco.epw");
writeTypicalYear("chicago", chicago);
writeTypicalYear("sanFrancisco", sanFrancisco);
afterAll(() => rmSync(folder, { recursive: true }));

const usual: OfficeInputs = { rValue: 2.5, lpd: 10, setpoint: 21, economizer: "NoEconomizer" };

function annual(climate: Climate, changes: Partial<OfficeInputs> = {}, options?: SimulationOptions) {
  return annualTotals(simulate({ ...usual, ...changes }, climate, options));
}

describe.each([chicago, sanFrancisco, ...sharedWeather(".epw")].map((file) => ({ name: basename(file), file })))(
  "a year in $name",
  ({ file }) => {
    let climate: Climate;
    beforeAll(() => {
      climate = loadWeather(file).climate;
    });

    it.each(ECONOMIZERS)("closes its heat balance with %s", (economizer) => {
      for (const rValue of [0, 2.5, 15]) {
        const { balance } = simulate({ ...usual, rValue, economizer }, climate);
        expect(Math.abs(imbalance(balance))).toBeLessThan(1e-9 * balance.gains);
        expect(Math.abs(imbalance(balance))).toBeLessThan(0.001 * (balance.gains + balance.heating));
      }
    });

    it("forgets the temperature it starts with", () => {
      const cold = annual(climate, {}, { startTemperature: 0 });
      const hot = annual(climate, {}, { startTemperature: 40 });
      const wholeYear = annual(climate, {}, { warmUpHours: 8760 });
      expect(cold.heating).toBeCloseTo(hot.heating, 6);
      expect(cold.cooling).toBeCloseTo(wholeYear.cooling, 6);
    });

    it("needs less heating with more insulation", () => {
      const heating = [0, 0.5, 1, 2, 4, 8, 15].map((rValue) => annual(climate, { rValue }).heating);
      expect(heating).toEqual([...heating].sort((a, b) => b - a));
      expect(heating[0]).toBeGreaterThan(heating.at(-1)! + 1);
    });

    it("needs more lighting, less heating and more cooling with more lights", () => {
      const [few, many] = [annual(climate, { lpd: 4 }), annual(climate, { lpd: 16 })];
      expect(many.lighting).toBeCloseTo(4 * few.lighting, 6);
      expect(many.heating).toBeLessThan(few.heating);
      expect(many.cooling).toBeGreaterThan(few.cooling);
      expect(many.equipment).toBe(few.equipment);
    });

    it("needs more heating and less cooling at a higher setpoint", () => {
      const [low, high] = [annual(climate, { setpoint: 18 }), annual(climate, { setpoint: 23 })];
      expect(high.heating).toBeGreaterThan(low.heating);
      expect(high.cooling).toBeLessThan(low.cooling);
    });

    it("runs fans and pumps more for more cooling and heating", () => {
      const [mild, hard] = [annual(climate, { lpd: 2 }), annual(climate, { lpd: 40 })];
      expect(hard.fans).toBeGreaterThan(mild.fans);
      expect(hard.pumps).toBeGreaterThan(mild.pumps);
      expect(mild.fans).toBeGreaterThan(0);
    });

    it("never cools more with an enthalpy economizer than without", () => {
      expect(annual(climate, { economizer: "DifferentialEnthalpy" }).cooling).toBeLessThan(annual(climate).cooling);
    });

    it("keeps within its setpoints in use, and its months add up", () => {
      const results = simulate(usual, climate);
      const months = monthlyTotals(results);
      expect(Math.min(...results.airTemperature)).toBeGreaterThan(16 - 1e-6);
      expect(Math.max(...results.airTemperature)).toBeLessThan(29 + 1e-6);
      expect(months.reduce((sum, row) => sum + row.unmet_hours, 0)).toBe(0);
      expect(months.reduce((sum, row) => sum + row.cooling, 0)).toBeCloseTo(annualTotals(results).cooling, 9);
      expect(months.map(({ month }) => month)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    });

    it("gains more through windows to the south than to the north", () => {
      const glazed = (side: "north" | "south" | "east" | "west") => {
        const windowArea = { north: 0, east: 0, south: 0, west: 0, roof: 0, [side]: 40 };
        return simulate(usual, climate, { design: { ...SMALL_OFFICE, windowArea } }).balance.gains;
      };
      expect(glazed("south")).toBeGreaterThan(1.02 * glazed("north"));
      expect(glazed("east") / glazed("west")).toBeGreaterThan(0.9);
      expect(glazed("east") / glazed("west")).toBeLessThan(1.1);
    });
  },
);

describe("a mild climate", () => {
  it("saves a fifth of the cooling or more with either economizer", () => {
    const { climate } = loadWeather(sanFrancisco);
    const without = annual(climate).cooling;
    expect(annual(climate, { economizer: "DifferentialDryBulb" }).cooling).toBeLessThan(0.8 * without);
    expect(annual(climate, { economizer: "DifferentialEnthalpy" }).cooling).toBeLessThan(0.8 * without);
  });
});

describe("a plant that is too small", () => {
  it("gives what it can, and says in which hours it did not do", () => {
    const { climate } = loadWeather(chicago);
    const capacity = { heating: 15_000, cooling: 8000 };
    const results = simulate(usual, climate, { capacity });
    expect(Math.max(...results.uses.heating) * SMALL_OFFICE.floorArea).toBeLessThan(15_000.001);
    expect(results.unmet.reduce((sum, hour) => sum + hour, 0)).toBeGreaterThan(50);
    expect(Math.abs(imbalance(results.balance))).toBeLessThan(1e-6);
  });
});

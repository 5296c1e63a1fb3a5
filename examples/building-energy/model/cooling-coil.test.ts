import { describe, expect, it } from "vitest";
import { fanPower, pumpPower } from "./air-system.ts";
import { SMALL_OFFICE } from "./building.ts";
import { CoolingCoil, type CoolingDemand } from "./cooling-coil.ts";
import { ECONOMIZERS, type Economizer } from "./economizer.ts";
import { enthalpy, humidityRatio } from "./psychrometrics.ts";

const LARGEST = 2.5;

function cooled(economizer: Economizer, outdoor: number, dewPoint: number, capacity = Number.POSITIVE_INFINITY) {
  const outdoorHumidity = humidityRatio(dewPoint, 101_325);
  const demand: CoolingDemand = {
    need: 10_000,
    setpoint: 24,
    outdoor,
    outdoorHumidity,
    outdoorEnthalpy: enthalpy(outdoor, outdoorHumidity),
    leastOutdoorAir: 0.2,
    infiltration: 0.08,
    latentGain: 1000,
  };
  const coil = new CoolingCoil(economizer, LARGEST, capacity);
  coil.cool(demand);
  return coil;
}

describe("the economizer", () => {
  it("meets the whole need when it is cold enough outdoors", () => {
    const coil = cooled("DifferentialDryBulb", 8, 2);
    expect(coil.free).toBeCloseTo(10_000, 6);
    expect(coil.sensible + coil.latent).toBeCloseTo(0, 6);
  });

  it("shares the need with the coil when it is mild", () => {
    const coil = cooled("DifferentialDryBulb", 18, 5);
    expect(coil.free).toBeGreaterThan(1000);
    expect(coil.free + coil.sensible).toBeCloseTo(10_000, 6);
  });

  it.each(ECONOMIZERS)("%s stays shut when it is warmer outdoors", (economizer) => {
    expect(cooled(economizer, 26, 10).free).toBe(0);
  });

  it("is shut by enthalpy, but not by dry bulb, in cool and humid air", () => {
    expect(cooled("NoEconomizer", 20, 19).free).toBe(0);
    expect(cooled("DifferentialDryBulb", 20, 19).free).toBeGreaterThan(0);
    expect(cooled("DifferentialEnthalpy", 20, 19).free).toBe(0);
    const total = (economizer: Economizer) => {
      const coil = cooled(economizer, 20, 19);
      return coil.sensible + coil.latent;
    };
    expect(total("DifferentialEnthalpy")).toBeLessThan(total("DifferentialDryBulb"));
  });
});

describe("the coil", () => {
  it("takes more water out of humid air, none out of dry air", () => {
    expect(cooled("NoEconomizer", 30, 24).latent).toBeGreaterThan(cooled("NoEconomizer", 30, 16).latent);
    expect(cooled("NoEconomizer", 35, -10).latent).toBe(0);
  });

  it("gives no more than its capacity", () => {
    expect(cooled("NoEconomizer", 30, 15, 4000).sensible).toBe(4000);
  });

  it("never moves more air than the fan can", () => {
    expect(cooled("DifferentialDryBulb", 23, 10).supplyFlow).toBeLessThanOrEqual(LARGEST);
  });
});

describe("fans and pumps", () => {
  it("need more for more, and nothing for nothing", () => {
    const most = SMALL_OFFICE.supplyAir * SMALL_OFFICE.floorArea;
    expect(fanPower(0, SMALL_OFFICE)).toBe(0);
    expect(fanPower(most / 2, SMALL_OFFICE)).toBeLessThan(fanPower(most, SMALL_OFFICE) / 2);
    expect(fanPower(most, SMALL_OFFICE)).toBeCloseTo(most * SMALL_OFFICE.fanPower, -1);
    expect(pumpPower(0, 0)).toBe(0);
    expect(pumpPower(1000, 0)).toBeCloseTo(2.57, 1);
    expect(pumpPower(0, 1000)).toBeCloseTo(12.45, 1);
  });
});

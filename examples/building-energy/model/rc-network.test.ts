import { describe, expect, it } from "vitest";
import { envelopeOf, SMALL_OFFICE, SURFACES, uValue } from "./building.ts";
import { distributeGains, RcNetwork } from "./rc-network.ts";

const envelope = envelopeOf(SMALL_OFFICE, 2);
const idle = () => ({ outdoor: 0, hVe: 300, toAir: 0, toSurface: 0, toMass: 0 });

describe("the 5R1C network", () => {
  it("settles at the temperature outdoors without gains", () => {
    const network = new RcNetwork(envelope, 30);
    const load = { ...idle(), outdoor: 7 };
    for (let hour = 0; hour < 3000; hour++) {
      network.solve(load, 0);
      network.commit();
    }
    expect(network.airTemperature).toBeCloseTo(7, 6);
    expect(network.massTemperature).toBeCloseTo(7, 6);
  });

  it("settles where a resistance network says, with heat into the air", () => {
    const network = new RcNetwork(envelope, 20);
    for (let hour = 0; hour < 3000; hour++) {
      network.solve(idle(), 10_000);
      network.commit();
    }
    const { hIs, hW, hMs, hEm } = envelope;
    const loss = 300 + 1 / (1 / hIs + 1 / (hW + 1 / (1 / hMs + 1 / hEm)));
    expect(network.airTemperature).toBeCloseTo(10_000 / loss, 6);
  });

  it("needs just what brings the air to the setpoint", () => {
    const network = new RcNetwork(envelope, 15);
    const load = { outdoor: -5, hVe: 200, toAir: 500, toSurface: 800, toMass: 900 };
    const need = network.needFor(21, load, network.solve(load, 0), 5000);
    expect(network.solve(load, need)).toBeCloseTo(21, 9);
  });

  it("takes a building without any ventilation", () => {
    const network = new RcNetwork(envelope, 20);
    expect(network.solve({ ...idle(), hVe: 0 }, 1000)).toBeGreaterThan(0);
  });

  it("gives every watt of gain to a node or through the windows", () => {
    const load = idle();
    const lost = distributeGains(envelope, 1000, 700, load);
    expect(load.toAir + load.toSurface + load.toMass + lost).toBeCloseTo(1700, 9);
  });
});

describe("the envelope", () => {
  it("conducts its areas times their U-values", () => {
    const walls = SURFACES.filter((surface) => surface !== "roof").reduce(
      (sum, s) => sum + SMALL_OFFICE.opaqueArea[s],
      0,
    );
    const opaque =
      walls * uValue(2) +
      SMALL_OFFICE.opaqueArea.roof * uValue(SMALL_OFFICE.roofResistance) +
      SMALL_OFFICE.floorArea * SMALL_OFFICE.floorConductance;
    expect(1 / (1 / envelope.hEm + 1 / envelope.hMs)).toBeCloseTo(opaque, 6);
  });

  it("has a finite U-value without insulation, and refuses less than none", () => {
    expect(uValue(0)).toBeCloseTo(5.88, 2);
    expect(Number.isFinite(envelopeOf(SMALL_OFFICE, 0).hEm)).toBe(true);
    expect(() => envelopeOf(SMALL_OFFICE, -1)).toThrow(/from 0/);
    expect(() => envelopeOf(SMALL_OFFICE, Number.NaN)).toThrow(RangeError);
  });
});

/**
 * A year of a small office, hour by hour: ISO 13790's simple hourly method (5R1C), not EnergyPlus. One zone, ideal
 * control, no daylighting, no fan heat, no plant efficiency: see the example's README for what that leaves out.
 */
import { type BuildingDesign, SMALL_OFFICE } from "./building.ts";
import type { Climate } from "./climate.ts";
import { OFFICE_WEEK, type WeekSchedules } from "./schedules.ts";
import { type OfficeInputs, type PlantCapacity, Zone } from "./zone.ts";

/** The outputs that add up, in the order of the CSV file. */
export const END_USES = ["heating", "cooling", "lighting", "equipment", "fans", "pumps"] as const;
export type EndUse = (typeof END_USES)[number];

/** Sums over the whole run [kWh]: gains + heating − cooling − freeCooling − transmission − ventilation − storage = 0. */
export interface HeatBalance {
  gains: number;
  heating: number;
  /** sensible only: the network has no moisture */
  cooling: number;
  freeCooling: number;
  transmission: number;
  ventilation: number;
  storage: number;
}

export interface HourlyResults {
  /** [Wh/m2] of floor in each hour: heat for heating and cooling (sensible and latent), electricity for the others */
  uses: Record<EndUse, Float64Array>;
  /** mean zone air temperature of each hour [degC] */
  airTemperature: Float64Array;
  /** 1 where the office is in use and more than 1.1 K off its setpoint */
  unmet: Uint8Array;
  balance: HeatBalance;
}

export interface SimulationOptions {
  /** default: unlimited */
  capacity?: PlantCapacity | undefined;
  design?: BuildingDesign;
  schedules?: WeekSchedules;
  /** run over the last hours of the climate before its first, so that the start is forgotten; default: four weeks */
  warmUpHours?: number;
  /** of the mass before the warm-up [degC] */
  startTemperature?: number;
}

const FOUR_WEEKS = 28 * 24;

export const UNLIMITED: PlantCapacity = { heating: Number.POSITIVE_INFINITY, cooling: Number.POSITIVE_INFINITY };

/**
 * Simulates every hour of a climate.
 * @throws RangeError for an R-value that is no number from 0
 */
export function simulate(inputs: OfficeInputs, climate: Climate, options: SimulationOptions = {}): HourlyResults {
  const { design = SMALL_OFFICE, schedules = OFFICE_WEEK, capacity = UNLIMITED, startTemperature = 20 } = options;
  const zone = new Zone({ inputs, design, schedules, climate, capacity }, startTemperature);
  const warmUp = Math.min(options.warmUpHours ?? FOUR_WEEKS, climate.hours);
  for (let hour = climate.hours - warmUp; hour < climate.hours; hour++) zone.advance(hour);
  const results = emptyResults(climate.hours);
  for (let hour = 0; hour < climate.hours; hour++) {
    zone.advance(hour);
    record(results, zone, hour, design.floorArea);
  }
  return results;
}

function emptyResults(hours: number): HourlyResults {
  const uses = Object.fromEntries(END_USES.map((use) => [use, new Float64Array(hours)])) as HourlyResults["uses"];
  const balance = {
    gains: 0,
    heating: 0,
    cooling: 0,
    freeCooling: 0,
    transmission: 0,
    ventilation: 0,
    storage: 0,
  };
  return { uses, airTemperature: new Float64Array(hours), unmet: new Uint8Array(hours), balance };
}

function record(results: HourlyResults, zone: Zone, hour: number, floorArea: number): void {
  const { uses, balance } = results;
  uses.heating[hour] = zone.heating / floorArea;
  uses.cooling[hour] = (zone.coil.sensible + zone.coil.latent) / floorArea;
  uses.lighting[hour] = zone.lighting / floorArea;
  uses.equipment[hour] = zone.equipment / floorArea;
  uses.fans[hour] = zone.fans / floorArea;
  uses.pumps[hour] = zone.pumps / floorArea;
  results.airTemperature[hour] = zone.network.airTemperature;
  results.unmet[hour] = zone.unmet ? 1 : 0;
  balance.gains += zone.gains / 1000;
  balance.heating += zone.heating / 1000;
  balance.cooling += zone.coil.sensible / 1000;
  balance.freeCooling += zone.coil.free / 1000;
  balance.transmission += zone.transmission / 1000;
  balance.ventilation += zone.ventilation / 1000;
  balance.storage += zone.storage / 1000;
}

/** What a heat balance leaves over [kWh]; 0 but for rounding. */
export function imbalance(balance: HeatBalance): number {
  const sources = balance.gains + balance.heating;
  const sinks = balance.cooling + balance.freeCooling + balance.transmission + balance.ventilation;
  return sources - sinks - balance.storage;
}

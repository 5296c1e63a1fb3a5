/** Fans and pumps: what carries heat and cold, and what that costs. */
import type { BuildingDesign } from "./building.ts";

/** ρ·c_p of air [J/m3K]; ISO 13790, 9.3.1 */
export const AIR_HEAT_CAPACITY = 1200;
/** Supply air is this much warmer than the zone when it heats [K]. */
const HEATING_DIFFERENCE = 15;

/**
 * Pump energy for a unit of heat carried: ASHRAE 90.1-2019 appendix G, G3.1.3.5 and G3.1.3.10: 19 W/gpm of hot water
 * (28 K difference), 22 W/gpm of chilled water (6.7 K).
 */
const WATER_HEAT_CAPACITY = 4.18e6;
const WATT_PER_GPM = 1 / 6.309e-5;
const PUMP_HEATING = (19 * WATT_PER_GPM) / (WATER_HEAT_CAPACITY * 28);
const PUMP_COOLING = (22 * WATT_PER_GPM) / (WATER_HEAT_CAPACITY * 6.7);

/** Pump power [W] while this much heating and cooling [W] is delivered. */
export function pumpPower(heating: number, cooling: number): number {
  return PUMP_HEATING * heating + PUMP_COOLING * cooling;
}

/** Airflow [m3/s] that carries this much heat [W]. */
export function heatingFlow(heating: number): number {
  return heating / (AIR_HEAT_CAPACITY * HEATING_DIFFERENCE);
}

/** Power of a variable-speed fan [W] at an airflow [m3/s]; ASHRAE 90.1-2019 appendix G, table G3.1.3.15, method 2. */
export function fanPower(flow: number, design: BuildingDesign): number {
  if (flow <= 0) return 0;
  const largest = design.supplyAir * design.floorArea;
  const part = Math.min(flow / largest, 1);
  const share = 0.0013 + part * (0.147 + part * (0.9506 - part * 0.0998));
  return share * design.fanPower * largest;
}

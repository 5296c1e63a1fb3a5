import { enthalpy } from "./psychrometrics.ts";

export const ECONOMIZERS = ["NoEconomizer", "DifferentialDryBulb", "DifferentialEnthalpy"] as const;

/** When more outdoor air than needed for people may cool the building; names as in EnergyPlus. */
export type Economizer = (typeof ECONOMIZERS)[number];

/** Outdoor and return air of one hour. Temperatures [degC], humidity ratios [kg/kg], enthalpy [J/kg]. */
export interface AirStreams {
  outdoor: number;
  outdoorEnthalpy: number;
  returnAir: number;
  returnHumidity: number;
}

/** Outdoor air must be at least this much cooler [K], or the flow for any cooling would be without bound. */
const SMALLEST_DIFFERENCE = 0.5;

/**
 * Whether outdoor air may be used to cool. `DifferentialEnthalpy` asks for a lower enthalpy *and* a lower temperature:
 * the network counts sensible heat only, to which warmer, drier air would add.
 */
export function allowsFreeCooling(economizer: Economizer, air: AirStreams): boolean {
  if (economizer === "NoEconomizer" || air.outdoor > air.returnAir - SMALLEST_DIFFERENCE) return false;
  if (economizer === "DifferentialDryBulb") return true;
  return air.outdoorEnthalpy < enthalpy(air.returnAir, air.returnHumidity);
}

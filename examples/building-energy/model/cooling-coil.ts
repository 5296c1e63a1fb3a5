/** The air handler while it cools: outdoor air by the economizer, then the coil, sensible and latent. */
import { AIR_HEAT_CAPACITY } from "./air-system.ts";
import { type AirStreams, allowsFreeCooling, type Economizer } from "./economizer.ts";

/** Supply air is this much colder than the zone [K]: 13 °C into 24 °C. */
const SUPPLY_DIFFERENCE = 11;
/** Latent heat of a cubic metre of air for a unit of humidity ratio [J/m3]: 1.2 kg/m3 × 2.5 MJ/kg */
const LATENT_CAPACITY = 1.2 * 2.5e6;
/** Humidity ratio in which air leaves the coil [kg/kg]: saturated at 12.5 °C and sea level */
const COIL_HUMIDITY = 0.0091;
/** Along the saturation line near 15 °C a third of the heat is sensible; no coil without reheat does worse. */
const LATENT_PER_SENSIBLE = 1 / 0.35 - 1;

/** One hour's demand on the air handler. Temperatures [degC], flows [m3/s], heat [W]. One object serves all hours. */
export interface CoolingDemand {
  /** sensible heat to take out beyond what the least outdoor air does */
  need: number;
  setpoint: number;
  outdoor: number;
  /** [kg/kg] */
  outdoorHumidity: number;
  /** [J/kg] */
  outdoorEnthalpy: number;
  /** outdoor air the fans bring at least */
  leastOutdoorAir: number;
  infiltration: number;
  /** of the people */
  latentGain: number;
}

/** The fields hold the result of the last `cool`. */
export class CoolingCoil {
  /** heat taken out by the economizer's extra outdoor air [W] */
  free = 0;
  /** heat taken out by the coil [W] */
  sensible = 0;
  latent = 0;
  /** [m3/s] */
  supplyFlow = 0;

  private readonly economizer: Economizer;
  private readonly largestFlow: number;
  private readonly capacity: number;
  private readonly air: AirStreams = { outdoor: 0, outdoorEnthalpy: 0, returnAir: 0, returnHumidity: 0 };

  /**
   * @param largestFlow supply air [m3/s]
   * @param capacity largest sensible cooling of the coil [W]
   */
  constructor(economizer: Economizer, largestFlow: number, capacity: number) {
    this.economizer = economizer;
    this.largestFlow = largestFlow;
    this.capacity = capacity;
  }

  reset(): void {
    this.free = 0;
    this.sensible = 0;
    this.latent = 0;
    this.supplyFlow = 0;
  }

  /**
   * Shares the need out between outdoor air and coil. At the setpoint, extra outdoor air takes out
   * ΔH_ve · (θ_set − θ_e) at the same node of the network as the coil, so the two simply add up to the need.
   */
  cool(demand: CoolingDemand): void {
    const { need, leastOutdoorAir } = demand;
    const perFlow = AIR_HEAT_CAPACITY * (demand.setpoint - demand.outdoor);
    const zoneLoad = need + leastOutdoorAir * perFlow;
    const wanted = zoneLoad / (AIR_HEAT_CAPACITY * SUPPLY_DIFFERENCE);
    this.supplyFlow = Math.min(Math.max(wanted, leastOutdoorAir), this.largestFlow);
    let outdoorAir = leastOutdoorAir;
    this.free = 0;
    if (this.mayOpen(demand)) {
      outdoorAir = Math.max(leastOutdoorAir, Math.min(this.supplyFlow, zoneLoad / perFlow));
      this.free = Math.min(need, (outdoorAir - leastOutdoorAir) * perFlow);
    }
    this.sensible = Math.min(need - this.free, this.capacity);
    const moisture = this.latentOf(demand, outdoorAir);
    this.latent = Math.min(Math.max(0, moisture), LATENT_PER_SENSIBLE * this.sensible);
  }

  private mayOpen(demand: CoolingDemand): boolean {
    const air = this.air;
    air.outdoor = demand.outdoor;
    air.outdoorEnthalpy = demand.outdoorEnthalpy;
    air.returnAir = demand.setpoint;
    air.returnHumidity = COIL_HUMIDITY + Math.max(0, zoneMoisture(demand)) / (LATENT_CAPACITY * this.supplyFlow);
    return allowsFreeCooling(this.economizer, air);
  }

  /** Moisture of the outdoor air, and of the zone in the share of the supply that is return air [W]. */
  private latentOf(demand: CoolingDemand, outdoorAir: number): number {
    const fromOutdoors = LATENT_CAPACITY * outdoorAir * (demand.outdoorHumidity - COIL_HUMIDITY);
    return fromOutdoors + (1 - outdoorAir / this.supplyFlow) * zoneMoisture(demand);
  }
}

/** People's and infiltration's moisture, over the state of the supply air [W]. */
function zoneMoisture(demand: CoolingDemand): number {
  return demand.latentGain + LATENT_CAPACITY * demand.infiltration * (demand.outdoorHumidity - COIL_HUMIDITY);
}

/** One hour of the office after another: thermostat, outdoor air, economizer, plant. */
import { AIR_HEAT_CAPACITY, fanPower, heatingFlow, pumpPower } from "./air-system.ts";
import { type BuildingDesign, type Envelope, envelopeOf } from "./building.ts";
import type { Climate } from "./climate.ts";
import { CoolingCoil, type CoolingDemand } from "./cooling-coil.ts";
import type { Economizer } from "./economizer.ts";
import { distributeGains, type HourLoad, RcNetwork } from "./rc-network.ts";
import type { WeekSchedules } from "./schedules.ts";

/** What a user varies. */
export interface OfficeInputs {
  /** resistance of the wall's layers [m2K/W] */
  rValue: number;
  /** installed lighting power [W/m2] */
  lpd: number;
  /** heating setpoint while the office is in use [degC]; the others follow from it, see {@link setpointsOf} */
  setpoint: number;
  economizer: Economizer;
}

/** Largest sensible heating and cooling of the plant [W]. */
export interface PlantCapacity {
  heating: number;
  cooling: number;
}

export interface Setpoints {
  heating: number;
  cooling: number;
  nightHeating: number;
  nightCooling: number;
}

const DEADBAND = 3;
const NIGHT_SETBACK = 5;

/** Thermostat [degC]: 3 K between heating and cooling; at night and weekends 5 K of setback and setup. */
export function setpointsOf(setpoint: number): Setpoints {
  const cooling = setpoint + DEADBAND;
  return { heating: setpoint, cooling, nightHeating: setpoint - NIGHT_SETBACK, nightCooling: cooling + NIGHT_SETBACK };
}

export interface ZoneSetting {
  inputs: OfficeInputs;
  design: BuildingDesign;
  schedules: WeekSchedules;
  climate: Climate;
  capacity: PlantCapacity;
}

/** Heat flows and powers of the last hour are read from the fields; all are of the whole building [W]. */
export class Zone {
  heating = 0;
  lighting = 0;
  equipment = 0;
  fans = 0;
  pumps = 0;
  /** internal and solar gains, less radiation to the sky */
  gains = 0;
  /** to outdoors through the envelope, and with ventilation air without the economizer's */
  transmission = 0;
  ventilation = 0;
  /** into the building's mass */
  storage = 0;
  /** whether the office is in use and the air is more than 1.1 K (2 °F) off its setpoint */
  unmet = false;

  /** free, sensible and latent cooling */
  readonly coil: CoolingCoil;
  readonly network: RcNetwork;
  readonly inputs: OfficeInputs;
  readonly design: BuildingDesign;
  readonly schedules: WeekSchedules;
  readonly climate: Climate;
  readonly capacity: PlantCapacity;
  private readonly load: HourLoad = { outdoor: 0, hVe: 0, toAir: 0, toSurface: 0, toMass: 0 };
  private readonly demand: CoolingDemand;
  private readonly envelope: Envelope;
  private readonly setpoints: Setpoints;
  private windowLoss = 0;

  constructor(setting: ZoneSetting, startTemperature: number) {
    const { inputs, design } = setting;
    this.inputs = inputs;
    this.design = design;
    this.schedules = setting.schedules;
    this.climate = setting.climate;
    this.capacity = setting.capacity;
    this.envelope = envelopeOf(design, inputs.rValue);
    this.setpoints = setpointsOf(inputs.setpoint);
    this.demand = emptyDemand((design.infiltration * design.volume) / 3600);
    this.coil = new CoolingCoil(inputs.economizer, design.supplyAir * design.floorArea, setting.capacity.cooling);
    this.network = new RcNetwork(this.envelope, startTemperature);
  }

  /** Goes through hour `hour` of the climate. */
  advance(hour: number): void {
    const weekHour = this.climate.weekHour[hour]!;
    this.setGains(hour, weekHour);
    this.setOutdoorAir(hour, weekHour);
    this.condition(this.schedules.comfort[weekHour]! > 0);
    this.account();
  }

  private setGains(hour: number, weekHour: number): void {
    const { design, schedules, climate, inputs } = this;
    const people = design.floorArea * design.peopleDensity * schedules.occupancy[weekHour]!;
    this.lighting = design.floorArea * inputs.lpd * schedules.lighting[weekHour]!;
    this.equipment = design.floorArea * design.equipmentDensity * schedules.equipment[weekHour]!;
    this.demand.latentGain = people * design.latentHeat;
    const { apertures, skyLoss } = this.envelope;
    let solar = -skyLoss;
    for (let index = 0; index < apertures.length; index++) {
      solar += apertures[index]! * climate.irradiance[index]![hour]!;
    }
    const internal = people * design.sensibleHeat + this.lighting + this.equipment;
    this.gains = internal + solar;
    this.windowLoss = distributeGains(this.envelope, internal, solar, this.load);
  }

  private setOutdoorAir(hour: number, weekHour: number): void {
    const demand = this.demand;
    demand.leastOutdoorAir = this.design.outdoorAir * this.design.floorArea * this.schedules.ventilation[weekHour]!;
    demand.outdoor = this.climate.dryBulb[hour]!;
    demand.outdoorHumidity = this.climate.humidityRatio[hour]!;
    demand.outdoorEnthalpy = this.climate.enthalpy[hour]!;
    this.load.outdoor = demand.outdoor;
    this.load.hVe = AIR_HEAT_CAPACITY * (demand.infiltration + demand.leastOutdoorAir);
  }

  /** ISO 13790, C.4.2: free-floating first; where that is off the setpoint, the need, and what the plant can give of it. */
  private condition(inUse: boolean): void {
    const { network, coil } = this;
    const low = inUse ? this.setpoints.heating : this.setpoints.nightHeating;
    const high = inUse ? this.setpoints.cooling : this.setpoints.nightCooling;
    this.heating = 0;
    coil.reset();
    const trial = 10 * this.design.floorArea;
    const freeFloating = network.solve(this.load, 0);
    if (freeFloating < low) {
      this.heating = Math.min(network.needFor(low, this.load, freeFloating, trial), this.capacity.heating);
      network.solve(this.load, this.heating);
    } else if (freeFloating > high) {
      this.demand.need = -network.needFor(high, this.load, freeFloating, trial);
      this.demand.setpoint = high;
      coil.cool(this.demand);
      network.solve(this.load, -coil.sensible - coil.free);
    }
    this.unmet = inUse && (network.airTemperature < low - 1.1 || network.airTemperature > high + 1.1);
    const flow = Math.max(this.demand.leastOutdoorAir, heatingFlow(this.heating), coil.supplyFlow);
    this.fans = fanPower(flow, this.design);
    this.pumps = pumpPower(this.heating, coil.sensible + coil.latent);
  }

  private account(): void {
    const { network } = this;
    const { hEm, hW, cM } = this.envelope;
    const { outdoor, hVe } = this.load;
    const throughMass = hEm * (network.meanMassTemperature - outdoor);
    const throughWindows = hW * (network.surfaceTemperature - outdoor) + this.windowLoss;
    this.transmission = throughMass + throughWindows;
    this.ventilation = hVe * (network.airTemperature - outdoor);
    this.storage = (cM * (network.nextMassTemperature - network.massTemperature)) / 3600;
    network.commit();
  }
}

function emptyDemand(infiltration: number): CoolingDemand {
  return {
    need: 0,
    setpoint: 0,
    outdoor: 0,
    outdoorHumidity: 0,
    outdoorEnthalpy: 0,
    leastOutdoorAir: 0,
    infiltration,
    latentGain: 0,
  };
}

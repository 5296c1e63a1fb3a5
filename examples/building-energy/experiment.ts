import { defineExperiment, fileRef, table } from "scythe-ts";
import { z } from "zod";
import { uValue } from "./model/building.ts";
import { ECONOMIZERS } from "./model/economizer.ts";
import { setpointsOf } from "./model/zone.ts";
import { runOffice } from "./run-office.ts";

const energy = (what: string) => z.number().min(0).describe(`${what} [kWh/m2]`);

const endUses = {
  heating: energy("Heat delivered for heating"),
  cooling: energy("Heat taken out by the cooling coil, sensible and latent"),
  lighting: energy("Electricity for lighting"),
  equipment: energy("Electricity for equipment"),
  fans: energy("Electricity for fans"),
  pumps: energy("Electricity for pumps"),
};

/**
 * Annual energy use of a small office by ISO 13790's simple hourly method. It is no EnergyPlus: one zone, one thermal
 * mass, ideal control; good for comparing designs in a batch, not for sizing or rating a building.
 */
export const buildingEnergy = defineExperiment({
  name: "building_energy",
  description: "Annual energy use of a small office, hour by hour (ISO 13790, 5R1C)",
  input: z.object({
    r_value: z.number().min(0).max(15).describe("Wall R-value, layers without air films [m2K/W]"),
    lpd: z.number().min(0).max(50).describe("Lighting power density [W/m2]"),
    setpoint: z
      .number()
      .min(15)
      .max(25)
      .describe("Heating setpoint in use; cooling 3 K above; 5 K setback at night [degC]"),
    economizer: z.enum(ECONOMIZERS).describe("Free cooling by outdoor air"),
    weather_file: fileRef().describe("Weather file [.epw]"),
    design_day_file: fileRef().optional().describe("Design days that size the plant; without: no limit [.ddy]"),
  }),
  output: z.object({
    ...endUses,
    timeseries: fileRef().describe("Hourly results [.csv]"),
  }),
  tables: {
    monthly: table(
      z.object({
        month: z.number().int().min(1).max(12).describe("Month"),
        ...endUses,
        unmet_hours: z.number().int().min(0).describe("Hours in use more than 1.1 K off the setpoint [h]"),
      }),
      { index: ["month"] },
    ),
  },
  computedFeatures: (input) => ({
    wall_u_value: uValue(input.r_value),
    cooling_setpoint: setpointsOf(input.setpoint).cooling,
  }),
  run: (input, ctx) => runOffice(input, ctx.tempDir),
});

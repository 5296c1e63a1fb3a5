import { defineExperiment, fileRef, table } from "scythe-ts";
import { z } from "zod";
import { readCoefficients } from "./coefficients.ts";
import { bodyMassIndex, hazardRatio, remainingYears, survival, survivalTable } from "./mortality.ts";

/** Expected years of life from age and weight; each population's coefficients are a file that many specs share. */
export const lifespan = defineExperiment({
  name: "lifespan",
  description: "Remaining years of life by the Gompertz-Makeham law, with a hazard ratio for body weight",
  input: z.object({
    age: z.number().int().min(0).max(120).describe("Age [years]"),
    weight: z.number().min(2).max(400).describe("Body weight [kg]"),
    coefficients: fileRef().describe("Coefficients of a population [.json]"),
  }),
  output: z.object({
    remaining_years: z.number().min(0).describe("Expected years of life left [years]"),
    survival_10y: z.number().min(0).max(1).describe("Probability of living ten years more [-]"),
    body_mass_index: z.number().positive().describe("Body-mass index at the population's mean height [kg/m2]"),
    hazard_ratio: z.number().positive().describe("Factor on the hazard of death due to body weight [-]"),
  }),
  tables: {
    survival: table(
      z.object({
        attained_age: z.number().int().describe("Age reached [years]"),
        probability: z.number().min(0).max(1).describe("Probability of being alive at that age [-]"),
      }),
      { index: ["attained_age"] },
    ),
  },
  computedFeatures: (input) => ({ decade: Math.floor(input.age / 10) * 10 }),
  async run(input) {
    const { mortality, bmi, mean_height_m } = await readCoefficients(input.coefficients);
    const body_mass_index = bodyMassIndex(input.weight, mean_height_m);
    const hazard_ratio = hazardRatio(body_mass_index, bmi);
    return {
      remaining_years: remainingYears(mortality, input.age, hazard_ratio),
      survival_10y: survival(mortality, input.age, 10, hazard_ratio),
      body_mass_index,
      hazard_ratio,
      tables: { survival: survivalTable(mortality, input.age, hazard_ratio) },
    };
  },
});

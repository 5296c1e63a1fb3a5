import { defineExperiment, table } from "scythe-ts";
import { z } from "zod";
import { fly } from "./flight.ts";

/** A ball thrown over level ground, through air: how far does it go? */
export const projectile = defineExperiment({
  name: "projectile",
  description: "Flight of a ball with quadratic drag over level ground",
  input: z.object({
    speed: z.number().positive().max(300).describe("Speed at the start [m/s]"),
    angle: z.number().min(1).max(89).describe("Angle above the ground at the start [deg]"),
    mass: z.number().positive().default(0.145).describe("Mass; default: a baseball [kg]"),
    diameter: z.number().positive().default(0.074).describe("Diameter; default: a baseball [m]"),
    drag: z.number().min(0).default(0.35).describe("Drag coefficient; 0 for a vacuum [-]"),
  }),
  output: z.object({
    range: z.number().min(0).describe("Distance to where it lands [m]"),
    height: z.number().min(0).describe("Highest point [m]"),
    duration: z.number().min(0).describe("Time in the air [s]"),
    landing_speed: z.number().min(0).describe("Speed as it lands [m/s]"),
  }),
  tables: {
    trajectory: table(
      z.object({
        time: z.number().describe("Time since the start [s]"),
        x: z.number().describe("Distance over ground [m]"),
        y: z.number().describe("Height [m]"),
      }),
      { index: ["time"] },
    ),
  },
  computedFeatures: (input) => ({ aim: input.angle < 45 ? "flat" : "steep" }),
  run(input, ctx) {
    const flight = fly(input);
    ctx.log(`landed after ${flight.duration.toFixed(2)} s`);
    return {
      range: flight.range,
      height: flight.height,
      duration: flight.duration,
      landing_speed: flight.landingSpeed,
      tables: { trajectory: flight.trajectory },
    };
  },
});

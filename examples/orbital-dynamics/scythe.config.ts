import { defineConfig } from "scythe-ts";
import { orbitalDynamics, orbitalScalars } from "./experiment.ts";

export default defineConfig({ experiments: [orbitalDynamics, orbitalScalars], storage: "./scythe-data" });

import { defineConfig } from "scythe-ts";
import { buildingEnergy } from "./experiment.ts";

export default defineConfig({ experiments: [buildingEnergy], storage: "./scythe-data" });

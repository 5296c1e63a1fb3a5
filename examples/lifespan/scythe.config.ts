import { defineConfig } from "scythe-ts";
import { lifespan } from "./experiment.ts";

export default defineConfig({ experiments: [lifespan], storage: "./scythe-data" });

import { defineConfig } from "scythe-ts";
import { projectile } from "./experiments/projectile.ts";

export default defineConfig({
  experiments: [projectile],
  storage: "./scythe-data",
});

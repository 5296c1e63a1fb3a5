import { defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** `npm run test:hatchet`: what needs a real Hatchet server, named by HATCHET_CLIENT_TOKEN and HATCHET_CLIENT_HOST_PORT. */
const config = mergeConfig(base, defineConfig({ test: { testTimeout: 300_000, hookTimeout: 120_000 } }));
config.test.include = ["src/**/*.hatchet.ts", "test/**/*.hatchet.ts"];
config.test.typecheck = { enabled: false };
export default config;

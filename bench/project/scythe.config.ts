import { defineConfig, defineExperiment } from "scythe-ts";
import { z } from "zod";
import { orbitalScalars } from "../../examples/orbital-dynamics/experiment.ts";

/** Keeps a processor busy for a while: what a task of a known length costs beside its own time. */
export const spin = defineExperiment({
  name: "spin",
  input: z.object({ ms: z.number().positive() }),
  output: z.object({ turns: z.number().int() }),
  run({ ms }) {
    const end = performance.now() + ms;
    let turns = 0;
    while (performance.now() < end) turns++;
    return { turns };
  },
});

export default defineConfig({ experiments: [orbitalScalars, spin], slots: 2 });

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

const tenNumbers = (prefix: string) =>
  z.object(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${prefix}${i}`, z.number()])));

/** Ten numbers in, ten out: rows of twenty columns to gather. */
export const wide = defineExperiment({
  name: "wide",
  input: tenNumbers("in_"),
  output: tenNumbers("out_"),
  run: (input) => Object.fromEntries(Object.entries(input).map(([name, value]) => [`out_${name.slice(3)}`, value * 2])),
});

export default defineConfig({ experiments: [orbitalScalars, spin, wide], slots: 2 });

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CliProject, cliProject } from "./cli-project.ts";

const CONFIG = `
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, defineExperiment, fileRef } from "scythe-ts";
import { z } from "zod";

const input = z.object({
  x: z.number().min(-1).max(2).describe("Place [m]"),
  k: z.int().min(1).max(9),
  mode: z.enum(["plain", "with, comma", 'a "quote"', "two\\nlines"]),
  code: z.enum(["1", "02", "1e3"]),
  on: z.boolean(),
  gain: z.number().min(0).max(1).optional(),
  source: fileRef(),
});
const output = z.object({ y: z.number(), constant: z.number(), note: z.string(), noise: z.number() });

function run({ x, k, mode, on, gain, source }, { random }) {
  if (x > 1.9) throw new Error("too far");
  const y = x * k + (on ? 1 : 0) + (gain ?? 0) + readFileSync(source, "utf8").length;
  return { y, constant: 3, note: mode, noise: random() };
}

const common = { input, output, retries: 0, run };
const all = defineExperiment({ ...common, name: "all" });
const partly = defineExperiment({ ...common, name: "partly", where: (spec) => spec.x < spec.k / 6 });
const empty = defineExperiment({ ...common, name: "empty", where: (spec) => spec.x > 5 });
const spread = defineExperiment({ ...common, name: "spread", space: { x: "triangular:0,0.5,1" } });

const small = (name, fields) =>
  defineExperiment({ name, input: z.object(fields), output: z.object({ y: z.number() }), run: () => ({ y: 1 }) });
const unbounded = small("unbounded", { x: z.number(), label: z.string() });
const contrary = small("contrary", { x: z.number().min(2).max(1) });
const single = small("single", { x: z.number().min(2).max(2) });

const model = defineExperiment({
  name: "model",
  input: z.object({ a: z.number().min(0).max(1), b: z.number().min(0).max(1), label: z.string().default("none") }),
  output: z.object({ y: z.number(), constant: z.number(), note: z.string(), kept: fileRef() }),
  retries: 0,
  run({ a, b }, { tempDir }) {
    if (a > 0.97) throw new Error("too far");
    writeFileSync(join(tempDir, "kept.txt"), "kept");
    return { y: 4 * a + b + a * b, constant: 3, note: "done", kept: join(tempDir, "kept.txt") };
  },
});
const experiments = [all, partly, empty, spread, unbounded, contrary, single, model];
export default defineConfig({ experiments, engine: "inline" });
`;

/** A project whose experiments have fields of every kind, and two files that a field may name. */
export function designProject(): CliProject {
  const project = cliProject(CONFIG);
  writeFileSync(join(project.folder, "a.txt"), "a");
  writeFileSync(join(project.folder, "b.txt"), "bb");
  return project;
}

/** How their files are spread. */
export const FILES = ["--space", "source=files:a.txt,b.txt"];

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { spawnCli } from "./cli.ts";
import { install } from "./cli-project.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-config-output-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(["local", "inline"])("what a config prints while it is loaded is not on stdout: %s", async (engine) => {
  const project = mkdtempSync(join(folder, "project-"));
  install(project);
  writeFileSync(
    join(project, "scythe.config.mjs"),
    `import { defineConfig, defineExperiment } from "scythe-ts";
     import { z } from "zod";
     console.log("a word of welcome");
     const half = defineExperiment({
       name: "half", input: z.object({ n: z.number() }), output: z.object({ m: z.number() }), run: ({ n }) => ({ m: n / 2 }),
     });
     export default defineConfig({ experiments: [half], slots: 1 });`,
  );
  const scythe = (...args: string[]) => spawnCli(args, { cwd: project }).ended;
  const run = await scythe("run", "half", "--set", "n=4", "--engine", engine, "--json");
  expect(JSON.parse(run.out)).toMatchObject({ succeeded: 1 });
  expect(run.err).toContain("a word of welcome");
  expect(JSON.parse((await scythe("list", "--json")).out).experiments).toHaveLength(1);
  expect((await scythe("results", "half", "--format", "csv")).out).toMatch(/^experiment_id,/);
});

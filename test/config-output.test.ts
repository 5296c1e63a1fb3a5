import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "scythe-config-output-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(["local", "inline"])("what a config prints while it is loaded is not on stdout: %s", (engine) => {
  const project = mkdtempSync(join(folder, "project-"));
  mkdirSync(join(project, "node_modules"));
  symlinkSync(ROOT, join(project, "node_modules/scythe-ts"));
  symlinkSync(join(ROOT, "node_modules/zod"), join(project, "node_modules/zod"));
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
  const scythe = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, "dist/cli/main.js"), ...args], { cwd: project, encoding: "utf8" });
  const run = scythe("run", "half", "--set", "n=4", "--engine", engine, "--json");
  expect(JSON.parse(run.stdout)).toMatchObject({ succeeded: 1 });
  expect(run.stderr).toContain("a word of welcome");
  expect(JSON.parse(scythe("list", "--json").stdout).experiments).toHaveLength(1);
  expect(scythe("results", "half", "--format", "csv").stdout).toMatch(/^experiment_id,/);
});

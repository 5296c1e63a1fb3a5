import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cliProject } from "./cli-project.ts";

const project = cliProject(`
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, defineExperiment, fileRef } from "scythe-ts";
import { z } from "zod";
const told = defineExperiment({
  name: "told",
  input: z.object({ n: z.number().int(), given: fileRef() }),
  output: z.object({ file: fileRef() }),
  run(_, { tempDir }) {
    writeFileSync(join(tempDir, "x.txt"), "x");
    return { file: join(tempDir, "x.txt") };
  },
});
export default defineConfig({ experiments: [told] });
`);
afterAll(() => project.remove());
const storage = join(project.folder, "scythe-data");
const marker = join(project.root, "ran");
const TRAP = `require("node:fs").writeFileSync(${JSON.stringify(marker)}, ""); throw new Error("a trap");`;
/** What somebody who may write to a storage puts beside a run. */
const PLANTED = [
  ...[".envrc", ".git/config", ".vscode/tasks.json", "scythe.config.ts", "package.json", "node_modules/zod/index.js"],
  ...["results/.envrc", "results/file/.envrc", "results/file/scythe.config.ts", "results/file/SCYTHE.Config.mjs"],
  ...["artifacts/given/.git/hooks/x", "artifacts/given/scythe\u200b.config.js", "artifacts/scythe.config.ts"],
  ...["final/.envrc", "final/scythe.config.ts", "history/g0000/scythe.config.ts", "state.yml.sh"],
];
let id: string;

beforeAll(async () => {
  writeFileSync(join(project.folder, ".hidden"), "an input file with a dot");
  const ran = await project.scythe("run", "told", "--set", "n=1", "--set", "given=.hidden", "--json");
  id = JSON.parse(ran.out).experiment_id;
  for (const path of PLANTED) {
    mkdirSync(dirname(join(storage, id, path)), { recursive: true });
    writeFileSync(join(storage, id, path), TRAP);
  }
}, 60_000);

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort();
}

describe("of what lies in a run's place", () => {
  it.each(["download", "copy"])(
    "%s brings only what a run is made of",
    async (how) => {
      const to = join(project.root, how);
      const args = how === "copy" ? [id, to] : [id, "--to", to, "--what", "final,results,artifacts,specs"];
      const { code, err } = await project.scythe(how, ...args);
      expect([code, err]).toEqual([0, expect.stringContaining("left out, as no part of a run:")]);
      const own = filesBelow(join(to, id)).map((path) => path.replace(/[0-9a-f-]{36}/, "<id>"));
      expect(own.filter((path) => path !== "download.json")).toEqual([
        ...["artifacts/given/file-.hidden", "experiment_io_spec.yml", "final/errors.pq"],
        ...["final/result_file_refs.pq", "final/scalars.pq"],
        ...["input_artifacts.yml", "manifest.yml", "output_artifacts.pq", "report.yml", "results/file/<id>.txt"],
        ...["specs.pq", "state.yml", "workflow_spec.yml"],
      ]);
      expect(filesBelow(to).filter((path) => !path.startsWith(id))).toEqual([]);
      expect((await project.scythe("verify", id, "--storage", to)).code).toBe(0);
    },
    60_000,
  );
});

describe("a config that lies in a folder of runs", () => {
  beforeAll(() => writeFileSync(join(storage, "scythe.config.ts"), TRAP));

  it.each([
    ["list"],
    ["list", "told"],
    ["show", "told"],
    ["results", "told"],
    ["results", "told", "--sql", "select 1"],
    ["errors", "told"],
    ["verify", "told"],
    ["lineage", "told"],
    ["diff", "told", "told"],
    ["watch", "told"],
    ["gc"],
    ["download", "told", "--to", join(project.root, "again")],
    ["copy", "told", join(project.root, "again-copy")],
  ])("is not run by %s with --storage", async (...args) => {
    const { code, err } = await project.scytheWith({ cwd: storage }, ...args, "--storage", ".");
    const found = args[0] === "verify" ? 3 : 0; // it names what was planted
    expect([code, err]).toEqual([found, expect.not.stringContaining("trap")]);
    expect(existsSync(marker)).toBe(false);
  });

  it.each([
    ["show", ""],
    ["run", ""],
    ["show", "--storage", ".", "t"],
  ])("is not run by completion of %s", async (...words) => {
    expect((await project.start(["__complete", ...words], { cwd: storage }).ended).code).toBe(0);
    expect(existsSync(marker)).toBe(false);
  });

  it("is what the other commands would run, unless everybody may write to it", async () => {
    chmodSync(storage, 0o777);
    const refused = await project.start(["resume", "told"], { cwd: storage }).ended;
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("chmod o-w")]);
    expect(existsSync(marker)).toBe(false);
    chmodSync(storage, 0o755);
    expect((await project.start(["resume", "told"], { cwd: storage }).ended).err).toContain("a trap");
    expect(existsSync(marker)).toBe(true);
  });
});

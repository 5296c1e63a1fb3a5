import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineExperiment, openProject } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type CliProject, cliProject } from "./cli-project.ts";

const definition = {
  name: "typed",
  input: z.object({ n: z.number() }),
  output: z.object({ twice: z.number() }),
  run: ({ n }: { n: number }) => ({ twice: 2 * n }),
};

describe("a name", () => {
  const folder = mkdtempSync(join(tmpdir(), "scythe-typos-"));
  const experiments = [defineExperiment(definition), defineExperiment({ ...definition, name: "other" })];
  const config = { experiments, storage: folder };
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("a run's name is no other experiment's", async () => {
    await using scythe = await openProject(config);
    for (const runName of ["other", "Other"]) {
      await expect(scythe.allocate("typed", [{ n: 1 }], { runName })).rejects.toThrow(
        `A run of typed cannot be named ${runName}: other is another experiment`,
      );
    }
    expect(await scythe.experiment("other").listRuns()).toEqual([]);
    await (await scythe.allocate("typed", [{ n: 1 }], { runName: "typed" })).result();
  });
});

const CONFIG = `
import { defineConfig, defineExperiment } from "scythe-ts";
import { z } from "zod";
const typed = defineExperiment({
  name: "typed",
  input: z.object({ n: z.number() }),
  output: z.object({ twice: z.number() }),
  retries: 0,
  run: ({ n }) => { if (n === 1) throw new Error("one is bad"); return { twice: 2 * n }; },
});
export default defineConfig({ experiments: [typed] });
`;

describe("on the command line", () => {
  let project: CliProject;
  let place: string;
  beforeAll(async () => {
    project = cliProject(CONFIG);
    place = join(project.root, "place");
    const ran = await project.scythe("run", "typed", "--grid", "n=1,2", "--engine", "inline", "--storage", place);
    expect(ran.err).toMatch(new RegExp(`next +scythe errors \\S+ --storage ${place}\n`));
    expect(ran.err).toMatch(new RegExp(`scythe results \\S+ --storage ${place}\n`));
  });
  afterAll(() => project.remove());

  it.each([
    [["list", "--storage", "nowhere"], "There is no folder"],
    [["show", "typed@v99", "--storage", "@"], "It has v1.0.0."],
    [["show", "typed/v1.0.1", "--storage", "@"], 'Did you mean "v1.0.0"?'],
  ])("%j is refused", async (args, message) => {
    const { code, err } = await project.scythe(...args.map((arg) => (arg === "@" ? place : arg)));
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
    expect(existsSync(join(project.folder, "nowhere"))).toBe(false);
  });

  it("finds a version by a slash, too", async () => {
    expect((await project.scythe("show", "typed/v1.0.0", "--storage", place)).code).toBe(0);
  });

  it("names the storage in an error's hint", async () => {
    const { err } = await project.scythe("resume", "typed", "--storage", place);
    expect(err).toContain("already complete");
    const missing = await project.scythe("show", "tipt", "--storage", place);
    expect(missing.err).toContain(`\`scythe list --storage ${place}\``);
  });

  it("lists the others beside a run that is damaged", async () => {
    const run = ["run", "typed", "--set", "n=2", "--engine", "inline", "--storage", place];
    const [whole] = (await project.scythe(...run)).out.split("\n");
    const { experiment_id: first } = await project.json("show", "typed@v1.0.0", "--json", "--storage", place);
    writeFileSync(join(place, first, "state.yml"), "status: complete\nepoch: 7\n# scythe\n\0");
    for (const [file, text] of [
      ["manifest.yml", "nonsense: true\n"],
      ["report.yml", "a: [1"],
    ] as const) {
      writeFileSync(join(place, first, file), text);
      const { runs } = await project.json("list", "typed", "--json", "--storage", place);
      expect(runs.map(({ experiment_id, status }: Record<string, string>) => [experiment_id, status])).toEqual([
        [whole, "complete"],
        [first, "damaged"],
      ]);
      expect(runs[1].problem).toContain(first);
      const all = await project.scythe("list", "--storage", place);
      expect([all.code, all.out]).toEqual([0, expect.stringContaining("typed")]);
      const text2 = await project.scythe("list", "typed", "--storage", place);
      expect(text2.err).toContain(`${first} is damaged:`);
    }
  });
});

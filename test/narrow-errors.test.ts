import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliProject, cliProject } from "./cli-project.ts";

const CONFIG = `
import { defineConfig, defineExperiment } from "scythe-ts";
import { z } from "zod";

const fails = defineExperiment({
  name: "fails",
  input: z.object({ n: z.number().int(), city_of_the_building: z.string(), how: z.string() }),
  output: z.object({ twice: z.number() }),
  retries: 0,
  run({ n, how }) {
    if (how === "bad") return { twice: "many" };
    throw new Error("pressure " + n + " is above the limit of the valve");
  },
});
export default defineConfig({ experiments: [fails], engine: "inline" });
`;

/** What stdout is to a command that runs in a terminal so wide. */
const terminal = (columns: number) => ({
  NODE_OPTIONS: `--import=data:text/javascript,Object.assign(process.stdout,{isTTY:true,columns:${columns},getColorDepth:()=>1})`,
});

describe("errors in a narrow terminal", () => {
  let project: CliProject;
  beforeAll(async () => {
    project = cliProject(CONFIG);
    const specs = ["throws", "bad"].map((how, n) => ({ n: 1_000 + n, city_of_the_building: "Ljubljana", how }));
    writeFileSync(join(project.folder, "specs.json"), JSON.stringify(specs));
    expect(await project.json("run", "fails", "specs.json", "--json")).toMatchObject({ failed: 2 });
  }, 60_000);
  afterAll(() => project.remove());
  const linesAt = async (columns: number) =>
    (await project.start(["errors", "fails"], { env: terminal(columns) }).ended).out.split("\n");

  it.each([40, 79, 100])(
    "fit, and say what happened, at %d columns",
    async (columns) => {
      const lines = await linesAt(columns);
      for (const line of lines.slice(1)) expect(line.length, line).toBeLessThanOrEqual(columns);
      const text = lines.join(" ").replace(/\s+/g, " ");
      const whole = columns < 80; // there a message has lines of its own
      const expected = whole
        ? [/error pressure 1000 is above the limit of the valve/g, /refuses: twice = "many"/g]
        : [];
      for (const what of [...expected, /pressure 1000/g]) expect(text.match(what)).toHaveLength(2); // its sort, and the spec
    },
    60_000,
  );

  it("show the input as well where there is room", async () => {
    expect((await linesAt(140)).join("\n")).toContain("city_of_the_building=Ljubljana");
    expect((await linesAt(40)).join("\n")).not.toContain("Ljubljana");
  }, 60_000);
});

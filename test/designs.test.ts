import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openProject, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canonicalTables } from "./canonical.ts";
import type { CliProject } from "./cli-project.ts";
import { designProject, FILES } from "./design-project.ts";

let project: CliProject;
let opened: Scythe;
const scythe = (...args: string[]) => project.scythe(...args);

beforeAll(async () => {
  project = designProject();
  opened = await openProject(project.folder);
});
afterAll(async () => {
  await opened?.close();
  project?.remove();
});

/** The id of a run that the command line made; some of its specs fail. */
async function made(...args: string[]): Promise<string> {
  const { code, out, err } = await scythe(...args);
  expect([0, 3], err).toContain(code);
  return out.trim();
}

/** Its tables, without ids. */
async function tablesOf(id: string) {
  return canonicalTables(await (await opened.findRun(id)).openResults());
}

const manifestOf = async (id: string) => (await opened.findRun(id)).manifest;

describe("a run from a design", () => {
  it("is the same twice but for its ids, and its manifest says which design it is", async () => {
    const args = ["run", "all", "--design", "sobol", "-n", "32", "--seed", "7", ...FILES];
    const [first, second] = [await made(...args), await made(...args)];
    expect(second).not.toBe(first);
    const tables = await tablesOf(first);
    expect(tables).toEqual(await tablesOf(second));
    expect(tables.scalars!.length + tables.errors!.length).toBe(32);
    const { design, seed } = (await manifestOf(first)).scythe!;
    expect(seed).toBe(7);
    expect(design).toEqual({
      ...{ design: "sobol", seed: 7, options: { scramble: "owen" }, points: { first: 0, count: 32 } },
      space: [
        { name: "x", type: "number", distribution: "uniform:-1,2", unit: "m" },
        { name: "k", type: "integer", distribution: "uniform:1,9" },
        { name: "mode", type: "value", distribution: expect.stringMatching(/^discrete:plain,/) },
        { name: "code", type: "value", distribution: 'discrete:"1",02,1e3' },
        { name: "on", type: "value", distribution: "discrete:false,true" },
        { name: "gain", type: "number", distribution: "uniform:0,1" },
        { name: "source", type: "value", distribution: "files:a.txt,b.txt" },
      ],
    });
    const lineage = await scythe("lineage", first);
    expect(lineage.out).toContain("sobol (scramble owen), seed 7, points 0 … 31");
    const other = await made("run", "all", "--design", "halton", "-n", "32", "--seed", "7", ...FILES);
    const diff = await scythe("diff", first, other);
    expect(diff.out).toMatch(/sobol \(scramble owen\).*→ halton/);
  });

  it.each([
    ["sobol", 16, "all", []],
    ["halton", 11, "partly", []],
    ["sobol", 16, "partly", []],
    ["saltelli", 4, "partly", ["--fix", "mode=plain", "code=1"]],
    ["morris", 5, "partly", ["--fix", "mode=plain"]],
  ])("of design %s and %d points of %s, extended, is one longer design", async (design, n, experiment, flags) => {
    const args = ["run", experiment, "--design", design, "--seed", "5", ...FILES, ...flags];
    const short = await made(...args, "-n", String(n));
    const extended = await made("extend", short, "-n", String(n));
    const long = await made(...args, "-n", String(2 * n));
    expect(await tablesOf(extended)).toEqual(await tablesOf(long));
    const { design: joined, carried_count } = (await manifestOf(extended)).scythe!;
    expect(joined).toEqual((await manifestOf(long)).scythe!.design);
    expect(carried_count).toBe((await manifestOf(short)).scythe!.spec_count);
  });

  it.each([
    ["lhs", ["-n", "8"], "Latin hypercube cannot be extended"],
    ["grid", ["--fix", "x=1", "k=2", "mode=plain", "gain=0.5"], "full grid cannot be extended"],
  ])("of design %s is not extended by points", async (design, flags, problem) => {
    const id = await made("run", "all", "--design", design, ...FILES, ...flags);
    const { code, err } = await scythe("extend", id, "-n", "8");
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(problem) });
  });

  it("that was given its specs has no design to go on with", async () => {
    const id = await made("run", "model", "--grid", "a=0,0.5", "b=0,1");
    const { code, err } = await scythe("extend", id, "-n", "8");
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("was not made from a design") });
  });

  it("has no design any more once other specs extend it", async () => {
    const id = await made("run", "model", "--design", "saltelli", "-n", "4");
    const given = await made("extend", id, "--grid", "a=0,0.5", "b=0,1");
    expect((await manifestOf(given)).scythe!.design).toBeUndefined();
    const another = await made("extend", id, "--design", "halton", "-n", "4");
    expect((await manifestOf(another)).scythe!.design).toBeUndefined();
    const { out } = await scythe("sensitivity", another, "--json");
    expect(JSON.parse(out).method).not.toBe("sobol");
    const foreign = await made("run", "model", "--design", "saltelli", "-n", "8");
    const next = await opened.nextSpecs(foreign, 4);
    const mixed = await opened.extend(id, next);
    expect(mixed.manifest.scythe!.design).toBeUndefined();
    const alone = await opened.allocate("model", await opened.nextSpecs(foreign, 4));
    expect(alone.manifest.scythe!.design!.points).toEqual({ first: 8, count: 4 });
    for (const run of [mixed, alone]) await run.result();
  });

  it("takes what the flags fix, whatever the type", async () => {
    const id = await made(
      ...["run", "spread", "-n", "4", ...FILES, "--space", "k=discrete:2,3", "x=uniform:0.25,0.5"],
      ...["--fix", "on=false", "code=02", "gain=", "mode=with, comma"],
    );
    const results = await (await opened.findRun(id)).openResults();
    const rows = await results.query<Record<string, unknown>>('SELECT x, k, "on", code, gain, mode FROM scalars');
    expect(rows).toHaveLength(4);
    for (const row of rows) {
      expect(row).toMatchObject({ on: false, code: "02", gain: null, mode: "with, comma" });
      expect([2, 3]).toContain(Number(row.k));
      expect(row.x).toBeGreaterThanOrEqual(0.25);
      expect(row.x).toBeLessThanOrEqual(0.5);
    }
    expect((await manifestOf(id)).scythe!.design!.space.find(({ name }) => name === "on")).toMatchObject({
      distribution: "fixed:false",
    });
    const coded = await scythe("sample", "spread", "-n", "2", ...FILES, "--fix", "code=1e3", "x=0.50");
    expect(coded).toMatchObject({ code: 0, out: expect.stringMatching(/^0\.5,.*,1e3,/m) });
  });

  it("is not continued when the experiment's condition has changed", async () => {
    const id = await made("run", "partly", "-n", "8", ...FILES);
    const config = join(project.folder, "scythe.config.ts");
    const text = readFileSync(config, "utf8");
    try {
      writeFileSync(config, text.replace("spec.x < spec.k / 6", "spec.x < spec.k / 7"));
      const { code, err } = await scythe("extend", id, "-n", "8");
      expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("spec.k / 6") });
    } finally {
      writeFileSync(config, text);
    }
  });
});

import { existsSync } from "node:fs";
import { join } from "node:path";
import { openProject, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ParquetReader } from "../src/table/read-parquet.ts";
import type { CliProject } from "./cli-project.ts";
import { designProject } from "./design-project.ts";

let project: CliProject;
let opened: Scythe;
const scythe = (...args: string[]) => project.scythe(...args);
const ids: Record<string, string> = {};

async function made(...args: string[]): Promise<string> {
  const { code, out, err } = await scythe(...args);
  expect([0, 3], err).toContain(code);
  return out.trim();
}

beforeAll(async () => {
  project = designProject();
  opened = await openProject(project.folder);
  for (const [design, n] of [
    ["saltelli", 64],
    ["morris", 10],
    ["sobol", 128],
  ]) {
    ids[design!] = await made("run", "model", "--design", `${design}`, "-n", `${n}`, "--seed", "1");
  }
});
afterAll(async () => {
  await opened?.close();
  project?.remove();
});

/** The failed specs' `sort_index`. */
async function failedOf(id: string): Promise<number[]> {
  const results = await (await opened.findRun(id)).openResults();
  const rows = await results.query<{ i: number }>("SELECT sort_index::int AS i FROM errors ORDER BY 1");
  return rows.map(({ i }) => i);
}

describe("scythe sensitivity", () => {
  it.each([
    ["saltelli", "sobol", 6, 64, ["S1", "S2", "ST"]],
    ["morris", "morris", 3, 10, ["mu", "mu_star", "sigma"]],
  ])("of a %s run loses the whole block of a failed spec, and says so", async (design, method, rows, blocks, names) => {
    const failed = await failedOf(ids[design]!);
    const lost = new Set(failed.map((i) => Math.floor(i / rows))).size;
    expect(lost).toBeGreaterThan(0);
    const found = await project.json("sensitivity", ids[design]!);
    expect(found).toMatchObject({ experiment_id: ids[design], method });
    const y = found.outputs.find(({ output }: { output: string }) => output === "y");
    expect(y.blocks).toEqual({ planned: blocks, used: blocks - lost, failed: lost, missing: 0 });
    const indices = new Set<string>(y.indices.map(({ index }: { index: string }) => index));
    expect([...indices].sort()).toEqual(names);
    const effect = (name: string) =>
      y.indices.find((own: { index: string; input: string }) => own.index === names.at(-2) && own.input === name);
    if (design === "morris") expect(effect("a").value).toBeGreaterThan(effect("b").value);
    const { code, out, err } = await scythe("sensitivity", ids[design]!);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining(`${blocks - lost} of ${blocks}`) });
    expect(err).toContain("constant is constant");
    expect(err).toContain("note is text");
  });

  it("of another run says which kind of answer it is", async () => {
    const found = await project.json("sensitivity", ids.sobol!);
    expect(found.method).not.toBe("sobol");
    expect(found.statement).toMatch(/given|rows|first-order/i);
    for (const method of ["pawn", "regression"]) {
      const { outputs, ...other } = await project.json("sensitivity", ids.sobol!, "--method", method);
      expect(other.method).toBe(method);
      expect(outputs.map(({ output }: { output: string }) => output)).toEqual(["y"]);
    }
    const { code, err } = await scythe("sensitivity", ids.sobol!, "--method", "sobol");
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("saltelli") });
  });

  it.each(["constant", "note", "kept", "yy"])("of the output %s alone is refused by name", async (output) => {
    const { code, out, err } = await scythe("sensitivity", ids.saltelli!, "--output", output);
    expect({ code, out, err }).toMatchObject({ code: 2, out: "", err: expect.stringContaining(output) });
  });

  it("writes its table as Parquet, once", async () => {
    const file = join(project.folder, "indices.parquet");
    expect(await scythe("sensitivity", ids.saltelli!, "-o", "indices.parquet")).toMatchObject({ code: 0 });
    const reader = await ParquetReader.open(file);
    expect(reader.rows).toBe(5); // S1 and ST of both inputs, S2 of the pair
    reader.close();
    expect(await scythe("sensitivity", ids.saltelli!, "-o", "indices.parquet")).toMatchObject({ code: 2 });
    expect(await scythe("sensitivity", ids.saltelli!, "-o", "indices.csv")).toMatchObject({ code: 2 });
    expect(existsSync(join(project.folder, "indices.csv"))).toBe(false);
  });

  it("--until extends the run, each step with its lineage, until its budget ends it", async () => {
    const start = await made("run", "model", "--design", "saltelli", "-n", "16", "--seed", "2");
    const ended = await scythe("sensitivity", start, "--output", "y", "--until", "0.0001", "--budget", "400");
    expect(ended.code, ended.err).toBe(3);
    expect(ended.err).toContain("budget of 400 specs");
    const last = await opened.findRun("model");
    const middle = await opened.findRun(last.manifest.scythe!.parent_run!);
    expect(middle.manifest.scythe).toMatchObject({ parent_run: start, spec_count: 192 });
    expect(last.manifest.scythe).toMatchObject({ spec_count: 384, design: { points: { first: 0, count: 64 } } });
    const direct = await made("run", "model", "--design", "saltelli", "-n", "64", "--seed", "2");
    const of = async (id: string) => (await project.json("sensitivity", id, "--output", "y")).outputs;
    expect(await of(last.experimentId)).toEqual(await of(direct));
    const reached = await scythe("sensitivity", direct, "--output", "y", "--until", "5");
    expect(reached.code, reached.err).toBe(0);
  });

  it("is the same after a retry of specs that fail again", async () => {
    const before = await project.json("sensitivity", ids.morris!);
    await scythe("retry", ids.morris!);
    expect(await project.json("sensitivity", ids.morris!)).toEqual(before);
  });
});

describe("scythe describe", () => {
  it("says how outputs are spread, and where specs fail", async () => {
    const failed = (await failedOf(ids.sobol!)).length;
    const found = await project.json("describe", ids.sobol!);
    expect(found.specs).toEqual({ planned: 128, succeeded: 128 - failed, failed });
    const { regions } = found.failures.find(({ input }: { input: string }) => input === "a");
    const sum = (name: string) => regions.reduce((all: number, own: Record<string, number>) => all + own[name]!, 0);
    expect([sum("specs"), sum("failed")]).toEqual([128, failed]);
    const worst = regions.at(-1);
    expect(worst).toMatchObject({ failed, high: expect.closeTo(1, 1) });
    const { out } = await scythe("describe", ids.sobol!);
    expect(out).toMatch(/failed where[\s\S]*a .*…/);
    expect(out).toMatch(/^y +/m);
  });
});

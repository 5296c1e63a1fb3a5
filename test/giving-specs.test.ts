import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SpawnOptions } from "./cli.ts";
import { type CliProject, cliProject } from "./cli-project.ts";

const CONFIG = `
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, defineExperiment, fileRef } from "scythe-ts";
import { z } from "zod";

const maker = defineExperiment({
  name: "maker",
  input: z.object({ n: z.number(), seed: fileRef().optional() }),
  output: z.object({ file: fileRef() }),
  run({ n }, ctx) {
    writeFileSync(join(ctx.tempDir, "made.txt"), "made " + n);
    return { file: join(ctx.tempDir, "made.txt") };
  },
});
const reader = defineExperiment({
  name: "reader",
  input: z.object({ n: z.number().default(0), seed: fileRef().optional() }),
  output: z.object({ text: z.string() }),
  run: ({ seed }) => ({ text: seed ? readFileSync(seed, "utf8") : "" }),
});
export default defineConfig({ storage: "./runs", experiments: [maker, reader], engine: "inline" });
`;

let cli: CliProject;
let root: string;
let project: string;
let elsewhere: string;
beforeAll(() => {
  cli = cliProject(CONFIG);
  root = cli.root;
  project = cli.folder;
  elsewhere = join(root, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(project, "seed.txt"), "the seed");
});
afterAll(() => cli.remove());

/** In a process of its own when it is given a stdin. */
const scythe = (args: readonly string[], options: SpawnOptions = {}) =>
  Object.keys(options).length > 0 ? cli.start(args, options).ended : cli.scythe(...args);

const run = async (args: string[], stdin?: string) => {
  const { code, out, err } = await scythe(["run", ...args], stdin === undefined ? {} : { stdin });
  expect(err).not.toContain("error:");
  expect(code).toBe(0);
  return out.trim();
};
const rows = async (id: string, sql: string) => {
  const { out } = await scythe(["results", id, "--sql", sql, "--format", "json"]);
  return JSON.parse(out) as Record<string, unknown>[];
};
const texts = async (id: string) =>
  (await rows(id, "SELECT text FROM scalars ORDER BY sort_index")).map(({ text }) => text);

describe("specs from stdin", () => {
  it.each([
    ["csv", "n,seed\n1,\n2,seed.txt\n", []],
    ["csv", "n,seed\n1,\n2,seed.txt\n", ["--format", "csv"]],
    ["json", '[{"n": 1}, {"n": 2, "seed": "seed.txt"}]', []],
    ["jsonl", '{"n": 1}\n{"n": 2, "seed": "seed.txt"}\n', []],
    ["jsonl", '{"n": 1}\n{"n": 2, "seed": "seed.txt"}\n', ["--format", "jsonl"]],
  ])("are read as %s: %j %j", async (_format, stdin, flags) => {
    expect(await texts(await run(["reader", "--specs", "-", ...flags], stdin))).toEqual(["", "the seed"]);
  });

  it("are refused with their line, or when there are none", async () => {
    const bad = await scythe(["run", "reader", "-"], { stdin: '{"n": 1}\n{"n": ' });
    expect(bad).toMatchObject({ code: 2, err: expect.stringContaining("stdin: line 2 is not well-formed JSON") });
    const latin = await scythe(["run", "reader", "-"], { stdin: Buffer.from("n,seed\n1,\xfc\n", "latin1") });
    expect(latin).toMatchObject({ code: 2, err: expect.stringContaining("stdin: byte 9 (0xFC, line 2) is not UTF-8") });
    expect(await scythe(["run", "reader", "-"], { stdin: "" })).toMatchObject({
      code: 2,
      err: expect.stringContaining("no specs"),
    });
    const file = await scythe(["run", "reader", "a.csv", "--format", "csv"]);
    expect(file).toMatchObject({ code: 2, err: expect.stringContaining("--format says what stdin holds") });
  });
});

describe("what a run has made", () => {
  let made: string;
  let file: string;
  beforeAll(async () => {
    made = await run(["maker", "--set", "n=7", "seed=seed.txt"]);
    file = String((await rows(made, "SELECT file FROM result_file_refs"))[0]!.file);
  });

  it("is taken by its URI, also from a spec file that lies elsewhere", async () => {
    expect(file).toMatch(/^file:/);
    const specs = join(elsewhere, "specs.csv");
    writeFileSync(specs, `n,seed\n1,${file}\n`);
    expect(await texts(await run(["reader", specs]))).toEqual(["made 7"]);
  });

  it("is all that a URI in such a file reaches", async () => {
    const specs = join(elsewhere, "hostile.csv");
    const secret = join(root, "secret.txt");
    writeFileSync(secret, "secret");
    const link = join(project, "runs", made, "artifacts", "seed", "link.txt");
    symlinkSync(secret, link);
    for (const path of [secret, link]) {
      writeFileSync(specs, `n,seed\n1,${pathToFileURL(path).href}\n`);
      const { code, err } = await scythe(["run", "reader", specs]);
      expect(err).toContain("is outside of the spec file's folder and the project");
      expect(code).toBe(2);
    }
    rmSync(link);
  });

  /** In a storage that lies elsewhere: no more than what its runs hold, and no link that leads out of it. */
  async function refusesForeign(storage: string) {
    const stray = join(storage, "stray.txt");
    writeFileSync(stray, "no file of a run");
    const link = join(storage, made, "artifacts", "seed", "link.txt");
    symlinkSync(join(root, "secret.txt"), link);
    for (const path of [stray, link]) {
      const specs = join(elsewhere, "foreign.csv");
      writeFileSync(specs, `n,seed\n1,${pathToFileURL(path).href}\n`);
      const { code, err } = await scythe(["run", "reader", specs, "--storage", storage]);
      expect(err).toContain("is outside of the spec file's folder and the project");
      expect(code).toBe(2);
      rmSync(path);
    }
  }

  it("is run again by its specs.pq, or by its name, with other code and wherever it lies", async () => {
    expect(await texts(await run(["reader", join(project, "runs", made, "specs.pq")]))).toEqual(["the seed"]);
    const again = await run(["reader", "--specs-of", "maker"]);
    expect(await texts(again)).toEqual(["the seed"]);
    const { out } = await scythe(["show", again, "--json"]);
    expect(out).toContain(`"parent_run": "${made}"`);
    renameSync(join(project, "runs"), join(root, "moved"));
    rmSync(join(project, "seed.txt"));
    const there = await run(["reader", "--specs-of", made, "--storage", join(root, "moved")]);
    const result = await scythe(["results", there, "--storage", join(root, "moved"), "--format", "json"]);
    expect(JSON.parse(result.out)).toMatchObject([{ text: "the seed" }]);
    await refusesForeign(join(root, "moved"));
    writeFileSync(join(project, "seed.txt"), "the seed");
    renameSync(join(root, "moved"), join(project, "runs"));
  });
});

it("an index that pandas wrote is left out with a notice", async () => {
  const { code, err } = await scythe(["run", "reader", "-"], { stdin: "Unnamed: 0,n\n0,5\n" });
  expect(code).toBe(0);
  expect(err).toContain("stdin: the first column has no name, like the index that pandas writes; it is ignored");
});

it.skipIf(!existsSync("/dev/full"))("stdout that cannot be written is an error in words, and no stack", async () => {
  for (const args of [["list"], ["list", "--json"], ["--help"], ["run", "reader", "--set", "n=1"]]) {
    const full = openSync("/dev/full", "w");
    const { code, err } = await scythe(args, { stdout: full });
    closeSync(full);
    expect(err).toContain("error: Could not write to stdout: ");
    expect(err).toContain("hint: ");
    expect(err).not.toMatch(/^ +at /m);
    expect(code).toBe(4);
  }
});

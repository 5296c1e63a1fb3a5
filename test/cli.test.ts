import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS } from "../src/cli/program.ts";
import type { Ended } from "./cli.ts";
import { type CliProject, cliProject, install, makeProject } from "./cli-project.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const CONFIG = `
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { defineConfig, defineExperiment, fileRef, table } from "scythe-ts";
import { z } from "zod";

const weak = defineExperiment({
  name: "weak",
  description: "Doubles numbers, but not all of them",
  input: z.object({
    n: z.number().int().min(0).max(1000).describe("A number [-]"),
    label: z.string().default('a "b", c'),
  }),
  output: z.object({ twice: z.number() }),
  tables: { steps: table(z.object({ step: z.number().int() }), { index: ["step"] }) },
  retries: 0,
  run({ n }) {
    if (n % 5 === 3) throw new Error(\`n is \${n}, which is no good\\nat all\`);
    return { twice: 2 * n, tables: { steps: [{ step: 0 }, { step: 1 }] } };
  },
});

const slow = defineExperiment({
  name: "slow",
  input: z.object({ n: z.number().int(), seconds: z.number().default(0.2) }),
  output: z.object({ twice: z.number() }),
  async run({ n, seconds }) {
    if (seconds > 10) writeFileSync("in-hand", String(process.pid));
    await sleep(seconds * 1000);
    return { twice: 2 * n };
  },
});

const sizes = defineExperiment({
  name: "sizes",
  input: z.object({ file: fileRef().optional() }),
  output: z.object({ present: z.boolean() }),
  run: ({ file }) => ({ present: file !== undefined && existsSync(file) }),
});

export default defineConfig({ experiments: [weak, slow, sizes] });
`;

let project: CliProject;
let root: string;
const scythe = (...args: string[]) => project.scythe(...args);
const scytheIn = (cwd: string, ...args: string[]) => project.scytheWith({ cwd }, ...args);

beforeAll(() => {
  project = cliProject(CONFIG);
  root = project.root;
});

afterAll(() => project.remove());

const ID = /^[\w-]+\/v\d+\.\d+\.\d+\/\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}$/;

describe("a run that succeeds", () => {
  let ended: Ended;
  let id: string;
  beforeAll(async () => {
    ended = await project.start(["run", "weak", "--grid", "n=0,1,2", "label=x,y", "--seed", "7"]).ended;
    id = ended.out.trim();
  });

  test("exits 0; its id is all of stdout, the summary is on stderr, without colour", () => {
    expect(ended.code).toBe(0);
    expect(id).toMatch(ID);
    expect(ended.err).toMatch(/6\/6 specs \(100 %\)/);
    expect(ended.err).toContain("✓ 6 specs succeeded");
    expect(ended.err).toContain(`scythe results ${id}`);
    expect(ended.out + ended.err).not.toContain("\u001b");
  });

  test("show tells of it, as text and as JSON", async () => {
    const [text, json] = await Promise.all([scythe("show", "weak"), scythe("show", id.replace("/", "@"), "--json")]);
    expect(text.out).toContain(`${id}  complete`);
    expect(text.out).toMatch(/specs +6 allocated · 6 succeeded · 0 failed/);
    expect(text.out).toMatch(/steps +12 /);
    expect(JSON.parse(json.out)).toMatchObject({
      experiment_id: id,
      status: "complete",
      allocated: 6,
      manifest: { experiment_name: "weak", seed: 7, spec_count: 6 },
      state: { epoch: 1 },
      report: { succeeded: 6, final: { scalars: { rows: 6 } } },
    });
  });

  test("results shows tables and rows, exports CSV and JSON, answers SQL", async () => {
    const [text, csv, json, sql, whole] = await Promise.all([
      scythe("results", "weak"),
      scythe("results", "weak", "--format", "csv", "--limit", "2"),
      scythe("results", id, "--table", "steps", "--format", "json"),
      scythe(
        "results",
        "weak",
        "--sql",
        "select label, sum(twice) as s, count(*) as n from scalars group by 1 order by 1",
      ),
      scythe("results", "weak", "--json"),
    ]);
    expect(text.out).toMatch(/scalars +6\n +steps +12\n +errors +0/);
    expect(csv.out.split("\n")[0]).toBe("experiment_id,sort_index,workflow_run_id,root_workflow_run_id,n,label,twice");
    expect(csv.out.trim().split("\n")).toHaveLength(3);
    expect(JSON.parse(json.out)).toHaveLength(12);
    expect(sql.out).toBe("label  s  n\nx      6  3\ny      6  3\n");
    const object = JSON.parse(whole.out);
    expect(object.tables.map((table: { name: string }) => table.name)).toEqual(["scalars", "steps", "errors"]);
    expect(object.rows[3]).toMatchObject({ sort_index: 3, n: 1, label: "y", twice: 2 });
  });

  test("errors says that there are none", async () => {
    const { code, out, err } = await scythe("errors", "weak");
    expect([code, out, err]).toEqual([0, "", `${id} has no failed specs.\n`]);
  });
});

describe("a run with failed specs", () => {
  let ended: Ended;
  beforeAll(async () => {
    writeFileSync(
      join(project.folder, "specs.csv"),
      `n,label\n${Array.from({ length: 10 }, (_, n) => `${n},x`).join("\n")}\n`,
    );
    ended = await project.start(["run", "weak", "specs.csv", "--run-name", "other", "--json"]).ended;
  });

  test("exits 3 and says how many, of which kind, and the first", () => {
    expect(ended.code).toBe(3);
    expect(JSON.parse(ended.out)).toMatchObject({
      status: "complete",
      allocated: 10,
      succeeded: 8,
      failed: 2,
      missing: 0,
      failed_by_kind: { error: 2 },
      failures: [{ sort_index: 3, kind: "error" }, { sort_index: 8 }],
    });
    expect(ended.err).toContain("✗ 2 of 10 specs failed, 8 succeeded");
    expect(ended.err).toMatch(/scythe errors other\/v1\.0\.0/);
  });

  test("errors groups them, lists them with their input, and as JSON with their stacks", async () => {
    const [text, json, none, bad] = await Promise.all([
      scythe("errors", "other", "--limit", "1"),
      scythe("errors", "other", "--json"),
      scythe("errors", "other", "--kind", "crash", "--json"),
      scythe("errors", "other", "--kind", "bug"),
    ]);
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/2 +error +n is 3, which is no good ↵ at all/);
    expect(text.out).toMatch(/3 +error +1 +n is 3.*n=3 label=x/);
    expect(text.err).toContain("1 of 2");
    const { failed, by_kind, groups, errors } = JSON.parse(json.out);
    expect([failed, by_kind, groups.length, errors.length]).toEqual([2, { error: 2 }, 1, 2]);
    expect(errors[1]).toMatchObject({ sort_index: 8, attempts: 1, input: { n: 8, label: "x" } });
    expect(errors[1].stack).toContain("scythe.config.ts");
    expect(JSON.parse(none.out).errors).toEqual([]);
    expect(bad.code).toBe(2);
  });
});

describe("usage", () => {
  test.each([
    [["run", "week", "--set", "n=1"], /No experiment named "week"\. Did you mean "weak"\?/],
    [["rnu"], /unknown command 'rnu'\nhint: Did you mean run\? See `scythe --help`/],
    [["run", "weak", "--sett", "n=1"], /unknown option '--sett'\nhint: Did you mean --set\? See `scythe run --help`/],
    [["run"], /missing required argument 'experiment'/],
    [["run", "weak", "--seed", "x"], /whole number/],
    [["run", "weak", "--set", "m=1"], /weak has no field m/],
    [["run", "weak", "--set", "n=-1"], /n = -1: Too small/],
    [["run", "weak", "--specs", "nowhere.csv"], /No spec file .*nowhere\.csv/],
    [["run", "weak", "--set", "n=1", "--factor", "3"], /need each other/],
    [["run", "weak", "--set", "n=1", "--version-bump", "huge"], /"huge" is not a version/],
    [["results", "weakk"], /Did you mean "weak"\?/],
    [["show", "weak@v9.0.0"], /No run of weak@v9\.0\.0/],
    [["list", "strong"], /No experiment or run named "strong"/],
  ])("%j exits 2 and says why", async (args, message) => {
    const { code, out, err } = await scythe(...args);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n {4}at /);
    expect([code, out]).toEqual([2, ""]);
  });

  test("in a process of its own: one exit code and stdout, as text and as JSON", async () => {
    const words = ["list", "--nope"];
    for (const args of [words, [...words, "--json"], ["--version"]]) {
      expect(await project.start(args).ended).toEqual(await scythe(...args));
    }
  });

  test("a run without specs lists the fields", async () => {
    const { code, err } = await scythe("run", "weak");
    expect(code).toBe(2);
    expect(err).toMatch(/n +whole number 0 … 1000 +required +A number \[-\]/);
    expect(err).toMatch(/label +text +default "a \\"b\\", c"/);
  });

  test("an experiment that needs no field runs on one spec; a file is relative to the current folder", async () => {
    const folder = join(project.folder, "below");
    mkdirSync(folder);
    writeFileSync(join(folder, "f.txt"), "hello");
    const [without, withFile] = await Promise.all([
      scythe("run", "sizes", "--json", "--engine", "inline", "--run-name", "sizes-a"),
      scytheIn(folder, "run", "sizes", "--set", "file=f.txt", "--engine", "inline", "--run-name", "sizes-b"),
    ]);
    expect(JSON.parse(without.out)).toMatchObject({ allocated: 1, succeeded: 1 });
    expect(withFile.code).toBe(0);
    const { out } = await scythe(
      "results",
      withFile.out.trim(),
      "--sql",
      "select present from scalars",
      "--format",
      "csv",
    );
    expect(out).toBe("present\ntrue\n");
  });

  test("--json tells errors as JSON on stdout", async () => {
    const [unknown, usage] = await Promise.all([
      scythe("show", "nothing", "--json"),
      scythe("list", "--nope", "--json"),
    ]);
    expect(JSON.parse(unknown.out).error).toMatchObject({
      code: "not_found",
      message: expect.any(String),
      details: {},
    });
    expect(JSON.parse(usage.out).error).toMatchObject({ code: "invalid_input", message: "unknown option '--nope'" });
    expect([unknown.code, usage.code, unknown.err]).toEqual([2, 2, ""]);
  });

  test("the help of each command has examples", async () => {
    for (const { usage } of COMMANDS) {
      const help = await scythe(usage.split(" ")[0]!, "--help");
      expect(help, usage).toMatchObject({
        code: 0,
        out: expect.stringMatching(/\n(Examples|To have it in every shell):\n {2}\w/),
      });
    }
  });

  test("help and version go to stdout and exit 0", async () => {
    const [help, ofRun, version] = await Promise.all([scythe("--help"), scythe("help", "run"), scythe("--version")]);
    expect([help.code, ofRun.code, version.code]).toEqual([0, 0, 0]);
    for (const command of ["init", "run", "list", "show", "results", "errors"])
      expect(help.out).toContain(`  ${command} `);
    expect(ofRun.out).toContain("--grid <field=values...>");
    expect(version.out).toBe(`${JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version}\n`);
  });
});

describe("what is out of reach", () => {
  test("a storage that cannot be written exits 4", async () => {
    writeFileSync(join(root, "file"), "");
    const { code, err } = await scythe("run", "weak", "--set", "n=1", "--storage", join(root, "file", "below"));
    expect(code).toBe(4);
    expect(err).toMatch(/^error: Could not write/m);
  });

  test("workers that cannot load the project exit 2, at the first try", async () => {
    const folder = join(root, "broken");
    const broken = `if (process.argv[1].endsWith("process.js")) throw new Error("no scales here");\n${CONFIG}`;
    makeProject(folder, broken);
    const { code, err } = await scytheIn(folder, "run", "weak", "--set", "n=1");
    expect(code).toBe(2);
    expect(err).toContain("no scales here");
  });

  test("a config that does not load exits 2 and says where", async () => {
    const folder = join(root, "unloadable");
    makeProject(folder, 'function weigh() {\n  throw new Error("no scales");\n}\nweigh();\n');
    const { code, err } = await project.start(["list"], { cwd: folder }).ended;
    expect(code).toBe(2);
    expect(err).toMatch(/no scales\n {4}at weigh \(.*scythe\.config\.ts:2:/);
  });

  test("no project, and a project before npm install", async () => {
    const folder = join(root, "bare");
    mkdirSync(folder);
    const none = await scytheIn(folder, "list");
    expect([none.code, none.err]).toEqual([2, expect.stringContaining("npx scythe init")]);
    writeFileSync(join(folder, "scythe.config.ts"), CONFIG);
    const uninstalled = await scytheIn(folder, "list");
    expect([uninstalled.code, uninstalled.err]).toEqual([2, expect.stringContaining("npm install")]);
  });
});

describe("an interrupted run", () => {
  const grid = Array.from({ length: 60 }, (_, n) => n).join(",");

  test("exits 130 after the running specs, and keeps them", async () => {
    const child = project.start(["run", "slow", "--grid", `n=${grid}`, "--slots", "2", "--json"]);
    await until(() => hasParts("slow"));
    child.kill("SIGINT");
    child.kill("SIGINT"); // npx passes on what the terminal has sent already: still one interruption
    const { code, out, err } = await child.ended;
    expect(code).toBe(130);
    const outcome = JSON.parse(out);
    expect(outcome).toMatchObject({ status: "cancelled", allocated: 60, failed: 0, seconds: null, tables: [] });
    expect(outcome.succeeded).toBeGreaterThan(0);
    expect(outcome.succeeded + outcome.missing).toBe(60);
    expect(err).toContain("stopping when the running specs have finished");
    expect(err).toContain(`scythe resume ${outcome.experiment_id}`);
    const shown = JSON.parse((await scythe("show", "slow", "--json")).out);
    expect(shown).toMatchObject({ status: "cancelled", succeeded: outcome.succeeded, report: null });
    const partial = JSON.parse((await scythe("results", "slow", "--json", "--limit", "0")).out);
    expect(partial.partial).toEqual({ done: outcome.succeeded, allocated: 60 });
    expect(partial.rows).toHaveLength(outcome.succeeded);

    const resumed = await scythe("resume", "slow", "--json");
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.out)).toMatchObject({ status: "complete", succeeded: 60, missing: 0 });
    const again = await scythe("resume", "slow");
    expect([again.code, again.err]).toEqual([2, expect.stringContaining("already complete")]);
  });

  test("ends at once at the second signal, with its processes, and is seen as interrupted", async () => {
    const child = project.start([
      "run",
      "slow",
      "--run-name",
      "hasty",
      "--grid",
      "n=1,2",
      "--set",
      "seconds=30",
      "--slots",
      "2",
    ]);
    await until(() => existsSync(join(project.folder, "in-hand")));
    const worker = Number(readFileSync(join(project.folder, "in-hand"), "utf8"));
    child.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 700));
    child.kill("SIGTERM");
    const { code } = await child.ended;
    expect(code).toBe(130);
    await until(() => !isAlive(worker));
    const { runs } = JSON.parse((await scythe("list", "hasty", "--json")).out);
    expect(runs).toMatchObject([{ status: "interrupted", allocated: 2, succeeded: 0 }]);
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
}

function hasParts(name: string): boolean {
  const folder = join(project.folder, "scythe-data", name);
  return (
    existsSync(folder) && readdirSync(folder, { recursive: true }).some((path) => /parts.*\.pq$/.test(String(path)))
  );
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("list", () => {
  test("tells of experiments and run names, then of the runs of one", async () => {
    const [all, runs, text] = await Promise.all([
      scythe("list", "--json"),
      scythe("list", "other", "--json"),
      scythe("list", "other"),
    ]);
    const { experiments } = JSON.parse(all.out);
    const names = experiments.map(({ name }: { name: string }) => name);
    expect(names).toEqual(["hasty", "other", "sizes", "sizes-a", "sizes-b", "slow", "weak"]);
    expect(experiments[2]).toMatchObject({ name: "sizes", defined: true, runs: 0, latest: null });
    expect(experiments[6]).toMatchObject({ description: "Doubles numbers, but not all of them", versions: ["v1.0.0"] });
    expect(JSON.parse(runs.out)).toMatchObject({ experiment: "other", total: 1, runs: [{ allocated: 10, failed: 2 }] });
    expect(text.out).toMatch(/^run +status +specs +failed +took\nother\/v1\.0\.0\/\S+ +complete +10 +2 /);
  });

  test("reads a storage without a project around it", async () => {
    const { code, out } = await scytheIn(root, "list", "--storage", join(project.folder, "scythe-data"));
    expect(code).toBe(0);
    expect(out).toMatch(/^weak +1 +1 +v1\.0\.0/m);
  });
});

test("a reader that goes away ends the command quietly", async () => {
  const child = project.start(["results", "weak", "--sql", "select range as i from range(300000)", "--format", "csv"]);
  await once(child.stdout!, "data");
  child.stdout!.destroy();
  const { code, err } = await child.ended;
  expect([code, err]).toEqual([0, ""]);
});

describe("init", () => {
  test("makes a project that runs at once", async () => {
    const made = await scytheIn(root, "init", "My Study", "--json");
    const { folder, name, files, next } = JSON.parse(made.out);
    expect([made.code, name]).toEqual([0, "my-study"]);
    expect(files).toContain(".gitignore");
    expect(next[0]).toBe("cd 'My Study'");
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    expect(manifest).toMatchObject({ name: "my-study", type: "module" });
    expect(manifest.dependencies["scythe-ts"]).toMatch(/^\^\d/);
    install(folder);
    const tsc = spawn(join(ROOT, "node_modules", ".bin", "tsc"), ["-p", "."], { cwd: folder, stdio: "inherit" });
    const [run, [checked]] = await Promise.all([
      scytheIn(folder, ...next.at(-1).split(" ").slice(2)),
      once(tsc, "exit"),
    ]);
    expect([run.code, checked]).toEqual([0, 0]);
    const sql = "select max(range) as furthest, arg_max(angle, range) as angle from scalars where speed = 40";
    const { out } = await scytheIn(folder, "results", "projectile", "--sql", sql, "--json");
    expect(JSON.parse(out).rows[0]).toMatchObject({ furthest: expect.closeTo(94.77, 1), angle: 45 });
  });

  test("refuses a folder that holds anything", async () => {
    const { code, err } = await scytheIn(root, "init", "project");
    expect([code, err]).toEqual([2, expect.stringContaining("project is not empty")]);
  });
});

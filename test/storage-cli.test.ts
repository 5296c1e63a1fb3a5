import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openProject } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canonicalTables } from "./canonical.ts";
import { MAIN } from "./cli.ts";
import { type CliProject, cliProject } from "./cli-project.ts";
import { collect } from "./collect.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const CONFIG = `
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { defineConfig, defineExperiment, fileRef, table } from "scythe-ts";
import { z } from "zod";

if (process.env.NOISY) console.log("echo-noise");

const echo = defineExperiment({
  name: "echo",
  description: "Repeats a word",
  input: z.object({ n: z.number().int(), kind: z.string().default("oak"), word: fileRef() }),
  output: z.object({ length: z.number(), said: fileRef(), parts: z.array(fileRef()) }),
  tables: { letters: table(z.object({ i: z.number().int(), letter: z.string() }), { index: ["i"] }) },
  retries: 0,
  run({ n, word }, { tempDir }) {
    if (n === 3) throw new Error("three is too many");
    const text = readFileSync(word, "utf8").repeat(n);
    const write = (name, content) => {
      writeFileSync(join(tempDir, name), content);
      return join(tempDir, name);
    };
    const letters = [...text].map((letter, i) => ({ i, letter }));
    return { length: text.length, said: write("said.txt", text), parts: [write("a.txt", "a" + n), write("b.txt", "b" + n)], tables: { letters } };
  },
});

const slow = defineExperiment({
  name: "slow",
  input: z.object({ n: z.number().int() }),
  output: z.object({ twice: z.number() }),
  async run({ n }) {
    await sleep(n > 0 ? 60_000 : 1);
    return { twice: 2 * n };
  },
});

export default defineConfig({ experiments: [echo, slow], slots: 1 });
`;

let cli: CliProject;
let root: string;
let project: string;
let id: string;

beforeAll(async () => {
  cli = cliProject(CONFIG);
  root = cli.root;
  project = cli.folder;
  writeFileSync(join(project, "word.txt"), "seed");
  mkdirSync(join(project, "node_modules", ".bin"));
  writeFileSync(
    join(project, "node_modules", ".bin", "scythe"),
    `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`,
    {
      mode: 0o755,
    },
  );
  const { code, out, err } = await scythe(
    "run",
    "echo",
    "--grid",
    "n=1,2,3,4",
    "--set",
    "word=word.txt",
    "--seed",
    "1",
  );
  expect(code, err).toBe(3);
  id = out.trim();
});

afterAll(() => cli.remove());

function environment(): NodeJS.ProcessEnv {
  const { NO_COLOR: _, FORCE_COLOR: __, SCYTHE_DEBUG: ___, ...env } = process.env;
  return { ...env, TMPDIR: root };
}

const scythe = (...args: string[]) => cli.scythe(...args);
const start = (...args: string[]) => cli.start(args);

async function json(...args: string[]) {
  return JSON.parse((await scythe(...args, "--json")).out);
}

const stored = () => join(project, "scythe-data", id);

describe("download", () => {
  test("brings a run to a folder that reads like a storage", async () => {
    const { code, out, err } = await scythe("download", "echo", "--to", "brought");
    expect(code).toBe(0);
    expect(out).toBe(`${join(project, "brought", id)}\n`);
    expect(err).toMatch(/20\/20 files, .* of /);
    expect(err).toMatch(/✓ 20 files, [\d.]+ kB\n/);
    expect(err).toContain(`scythe results ${id} --storage brought`);
    const results = await scythe("results", "echo", "--storage", "brought", "--format", "csv");
    const here = await scythe("results", "echo", "--format", "csv");
    expect(results.out).toBe(here.out);
    expect((await scythe("errors", "echo", "--storage", "brought")).out).toContain("three is too many");
  });

  test("has what the source has, and reads files beside it", async () => {
    await scythe("download", "echo", "--to", "all", "--what", "final,results,artifacts,specs");
    const hidden = `${stored()}.hidden`;
    cpSync(stored(), hidden, { recursive: true });
    rmSync(join(stored(), "results"), { recursive: true });
    try {
      await using scythe = await openProject(project, { storage: join(project, "all") });
      const results = await scythe.experiment("echo").latestResults();
      const files = await collect(results.files("said"));
      expect(files.map(({ path }) => readFileSync(path!, "utf8"))).toEqual([1, 2, 4].map((n) => "seed".repeat(n)));
      expect(files[0]!.path).toContain(join(project, "all"));
    } finally {
      rmSync(stored(), { recursive: true });
      cpSync(hidden, stored(), { recursive: true });
      rmSync(hidden, { recursive: true });
    }
  });

  test("brings again what is gone or damaged, and skips the rest", async () => {
    const first = await json("download", "echo", "--to", "again");
    expect(first).toMatchObject({ experiment_id: id, files: 20, skipped: 0 });
    expect(await json("download", "echo", "--to", "again")).toMatchObject({ files: 20, skipped: 20 });
    const said = readdirSync(join(first.folder, "results", "said"));
    rmSync(join(first.folder, "results", "said", said[0]!));
    const table = join(first.folder, "final", "scalars.pq");
    const bytes = readFileSync(table);
    bytes[100]! ^= 255; // damaged, of the same size
    writeFileSync(table, bytes);
    expect(await json("download", "echo", "--to", "again")).toMatchObject({ files: 20, skipped: 18 });
    expect(readFileSync(table).equals(readFileSync(join(stored(), "final", "scalars.pq")))).toBe(true);
    expect(readFileSync(join(first.folder, "results", "said", said[0]!), "utf8")).toMatch(/^seed/);
  });

  test("goes on after it was killed", async () => {
    const child = start("download", "echo", "--to", "killed");
    await until(() => existsSync(join(project, "killed", id)));
    child.kill("SIGKILL");
    await child.ended;
    expect((await scythe("download", "echo", "--to", "killed")).code).toBe(0);
    expect(readdirSync(join(project, "killed", id, "final")).sort()).toEqual(
      readdirSync(join(stored(), "final")).sort(),
    );
  });

  test("of some parts or one field", async () => {
    const parts = await json("download", "echo", "--to", "parts", "--what", "artifacts");
    expect(readdirSync(parts.folder).filter((name) => !name.includes("."))).toEqual(["artifacts"]);
    const field = await json("download", "echo", "--to", "field", "--field", "parts");
    expect(readdirSync(join(field.folder, "results"))).toEqual(["parts"]);
    expect(readdirSync(join(field.folder, "results", "parts"))).toHaveLength(6);
  });

  test("finds a damaged table by its SHA-256 and names it; what was brought is no run", async () => {
    const table = join(stored(), "final", "letters.pq");
    const good = readFileSync(table);
    const bad = Buffer.from(good);
    bad[50]! ^= 1;
    writeFileSync(table, bad);
    try {
      const [download, copy] = await Promise.all([
        scythe("download", "echo", "--to", "damaged"),
        scythe("copy", "echo", "damaged-copy"),
      ]);
      for (const { code, err } of [download, copy]) {
        expect(err).toMatch(/letters\.pq is damaged: its SHA-256 is not the recorded one\nhint: Restore it/);
        expect(code).toBe(4);
      }
      for (const storage of ["damaged", "damaged-copy"]) {
        expect((await scythe("results", "echo", "--storage", storage)).code).toBe(2);
      }
    } finally {
      writeFileSync(table, good);
    }
  });
});

describe("copy", () => {
  test("makes a whole run whose tables name the copy's files", async () => {
    const { code, out, err } = await scythe("copy", id, "copied place");
    expect([code, out]).toEqual([0, `${join(project, "copied place", id)}\n`]);
    expect(err).toContain(`scythe results ${id} --storage 'copied place'`);
    const moved = `${stored()}.moved`;
    cpSync(stored(), moved, { recursive: true });
    const before = await tablesIn(undefined);
    rmSync(join(stored(), "results"), { recursive: true });
    rmSync(join(stored(), "artifacts"), { recursive: true });
    try {
      expect(await tablesIn("copied place")).toEqual(before);
      await using scythe = await openProject(project, { storage: join(project, "copied place") });
      const results = await scythe.experiment("echo").latestResults();
      const said = await collect(results.files("said"));
      expect(said.map(({ path }) => readFileSync(path!, "utf8").length)).toEqual([4, 8, 16]);
      const parts = await collect(results.files("parts"));
      expect(parts.map(({ path }) => readFileSync(path!, "utf8"))).toEqual(["a1", "b1", "a2", "b2", "a4", "b4"]);
      const [{ word }] = (await results.query<{ word: string }>("SELECT word FROM scalars")) as [{ word: string }];
      expect(word.startsWith(scythe.storage.uri)).toBe(true);
      expect(readFileSync(fileURLToPath(word), "utf8")).toBe("seed");
    } finally {
      rmSync(stored(), { recursive: true });
      cpSync(moved, stored(), { recursive: true });
      rmSync(moved, { recursive: true });
    }
    const texts = ["manifest.yml", "input_artifacts.yml"].map((name) =>
      readFileSync(join(project, "copied place", id, name), "utf8"),
    );
    for (const text of texts) {
      expect(text).toContain("/copied%20place/echo/");
      expect(text).not.toContain("scythe-data");
    }
    expect(existsSync(join(project, "copied place", id, "scatter-gather"))).toBe(false);
  });

  test("of a copy's download verifies, and leads back", async () => {
    await scythe(
      "download",
      "echo",
      "--storage",
      "copied place",
      "--to",
      "round",
      "--what",
      "final,results,artifacts,specs",
    );
    const { code } = await scythe("copy", "echo", "round-copy", "--storage", "round");
    expect(code).toBe(0);
    expect(await tablesIn("round-copy")).toEqual(await tablesIn(undefined));
    const { out } = await scythe("results", "echo", "--storage", "round-copy", "--format", "csv");
    expect(out).toContain("/round-copy/echo/");
    expect(out).not.toContain("copied%20place");
  });

  test("writes over no run, takes no incomplete one, and goes nowhere but to storages", async () => {
    const again = await scythe("copy", "echo", "copied place");
    expect([again.code, again.err]).toEqual([2, expect.stringContaining("already")]);
    const nowhere = await scythe("copy", "echo", "gs://bucket");
    expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringContaining("Cannot store runs at gs://bucket")]);
  });

  async function tablesIn(storage: string | undefined) {
    const overrides = storage === undefined ? {} : { storage: join(project, storage) };
    await using scythe = await openProject(project, overrides);
    const tables = await canonicalTables(await scythe.experiment("echo").latestResults());
    const inRun = (_: string, value: unknown) =>
      typeof value === "string" ? value.replace(`${scythe.storage.uri}/`, "") : value;
    return JSON.parse(JSON.stringify(tables, inRun));
  }
});

describe("names that lead elsewhere", () => {
  test.each([
    [["download", "echo", "--field", "../x"], /'--field <name>' argument '\.\.\/x' is invalid/],
    [["download", "echo", "--field", "C:"], /is invalid/],
    [["download", "echo", "--field", "none"], /no files of a field "none"\nhint: It has files of: word, parts, said\./],
    [["download", "echo", "--what", "final,../x"], /"\.\.\/x" is none of final, results, artifacts, specs/],
    [["download", "../echo"], /cannot be "\.\.\/echo"/],
    [["show", "echo@../../x"], /No run of echo@\.\.\/\.\.\/x/],
    [["show", "echo/../2026-01-31_12-00-00"], /cannot be/],
    [["show", "C:/v1.0.0/2026-01-31_12-00-00"], /cannot be/],
    [["results", "/etc/passwd"], /cannot be/],
    [["gc", "../x"], /cannot be "\.\.\/x"/],
    [["gc", "ech"], /No experiment or run named "ech"\. Did you mean "echo"\?/],
    [["run", "echo", "--set", "n=1", "word=word.txt", "--run-name", "../x"], /cannot be "\.\.\/x"/],
    [["run", "echo", "--set", "n=1", "word=word.txt", "--run-name", "x".repeat(300)], /cannot be/],
    [["list", "a".repeat(300)], /cannot be/],
  ])("%j exits 2", async (args, message) => {
    const { code, err } = await scythe(...args);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});

describe("sizes and garbage", () => {
  test("show tells what a run takes up", async () => {
    const { sizes } = await json("show", "echo");
    expect(sizes.results).toMatchObject({
      files: 9,
      fields: { said: { files: 3, bytes: 28 }, parts: { files: 6, bytes: 12 } },
    });
    expect(sizes.artifacts).toEqual({ files: 1, bytes: 4, fields: { word: { files: 1, bytes: 4 } } });
    expect(sizes.final.files).toBe(4);
    expect(sizes.tree.files).toBeGreaterThan(1);
    const parts = ["final", "results", "artifacts", "specs", "tree", "about"].map((part) => sizes[part].bytes);
    expect(parts.reduce((sum, bytes) => sum + bytes)).toBe(sizes.bytes);
    const { out } = await scythe("show", "echo");
    expect(out).toMatch(/results\/ +9 +40 B\n +parts +6 +12 B\n +said +3 +28 B\n/);
    expect(out).toMatch(/in all +\d+ +[\d.]+ kB/);
  });

  test("gc lists, then removes what complete runs do not need; an incomplete run stays whole", async () => {
    const child = start("run", "slow", "--grid", "n=0,1", "--chunk-size", "1");
    await until(() => /parts.*\.pq/.test(treeOf("slow").join()));
    child.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 700));
    child.kill("SIGINT");
    await child.ended;
    const incomplete = treeOf("slow");

    const copied = await scythe("copy", "slow", "copied place");
    expect([copied.code, copied.err]).toEqual([2, expect.stringMatching(/Run slow\/\S+ is not complete/)]);

    const listed = await scythe("gc");
    expect(listed.code).toBe(0);
    expect(listed.out).toMatch(new RegExp(`${id} +\\d+ +[\\d.]+ k?B`));
    expect(listed.err).toMatch(/Dry run: \d+ files of 1 run, .* can be removed\.\n1 incomplete run is left as it is\./);
    expect(listed.err).toContain("Nothing was removed yet. Remove it: scythe gc --delete");
    const plan = await json("gc", "echo");
    expect(plan).toMatchObject({ deleted: false, runs: [{ experiment_id: id }], incomplete: 0, foreign: 0 });
    expect(treeOf("echo").some((path) => path.includes("scatter-gather"))).toBe(true);

    const before = await scythe("results", "echo", "--format", "csv");
    const removed = await scythe("gc", "--delete");
    expect([removed.code, removed.err]).toEqual([0, expect.stringContaining(`✓ removed ${plan.files} files of 1 run`)]);
    expect(treeOf("echo").some((path) => path.includes("scatter-gather"))).toBe(false);
    expect(treeOf("slow")).toEqual(incomplete);
    const after = await scythe("results", "echo", "--format", "csv");
    expect([after.code, after.out]).toEqual([0, before.out]);
    expect((await json("errors", "echo")).failed).toBe(1);
    expect((await scythe("show", "echo")).out).toMatch(/4 allocated · 3 succeeded · 1 failed/);
    expect((await scythe("gc")).err).toMatch(/^There is nothing to remove\.$/m);
  });

  test("errors tells a failure's kind from an input of that name", async () => {
    const { by_kind, errors } = await json("errors", "echo");
    expect(by_kind).toEqual({ error: 1 });
    expect(errors[0]).toMatchObject({ kind: "error", message: "three is too many", input: { n: 3, kind: "oak" } });
  });

  function treeOf(name: string): string[] {
    const folder = join(project, "scythe-data", name);
    if (!existsSync(folder)) return [];
    return (readdirSync(folder, { recursive: true }) as string[]).sort();
  }
});

describe("completion", () => {
  const path = () => `${join(project, "node_modules", ".bin")}${delimiter}${process.env.PATH}`;

  /** What bash offers for a line, as it would call the function: words split at COMP_WORDBREAKS. */
  function inBash(line: string): string[] {
    const words: string[] = line.match(/[@=:]+|[^\s@=:]+/g) ?? [];
    if (/\s$/.test(line)) words.push("");
    const script = `
      source <(scythe completion bash)
      COMP_LINE=$LINE COMP_POINT=\${#LINE} COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      _scythe scythe "\${COMP_WORDS[COMP_CWORD]}"
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...environment(), PATH: path(), LINE: line, NOISY: "1" };
    const out = execFileSync("bash", ["--norc", "-c", script, "bash", ...words], {
      cwd: project,
      env,
      encoding: "utf8",
    });
    return out.split("\n").filter((text) => text !== "");
  }

  test("in bash: commands, flags, choices, experiments, runs, versions", () => {
    const version = id.split("/")[1]!;
    expect(inBash("scythe dow")).toEqual(["download"]);
    expect(inBash("scythe ")).toContain("completion");
    expect(inBash("scythe ")).not.toContain("__complete");
    expect(inBash("scythe results --f")).toEqual(["--format"]);
    expect(inBash("scythe results echo --format ")).toEqual(["table", "csv", "json"]);
    expect(inBash("scythe completion ")).toEqual(["bash", "zsh", "fish"]);
    expect(inBash("scythe run ")).toEqual(["echo", "slow"]);
    expect(inBash("scythe show e")).toEqual(["echo"]);
    expect(inBash("scythe show --json e")).toEqual(["echo"]);
    expect(inBash("scythe show echo@")).toEqual([version]);
    expect(inBash("scythe show echo@v")).toEqual([version]);
    expect(inBash(`scythe show echo@${version}/`)).toEqual([id.replace("echo/", "")]);
    expect(inBash(`scythe show echo/${version}/`)).toEqual([id]);
    expect(inBash("scythe download echo --to ")).toEqual([]); // the shell's own: files
    expect(inBash("scythe help dow")).toEqual(["download"]);
    for (const nonsense of ["scythe show ../../x@", "scythe none ", "scythe show C:", "scythe run echo sp"]) {
      expect(inBash(nonsense), nonsense).toEqual([]);
    }
  });

  test("never fails loudly", () => {
    const folder = join(root, "broken");
    mkdirSync(folder);
    writeFileSync(join(folder, "scythe.config.ts"), "throw new Error('no');");
    for (const words of [[], [""], ["show", ""], ["run", ""], ["--"]] as string[][]) {
      const ended = spawnSync(process.execPath, [MAIN, "__complete", ...words], { cwd: folder, encoding: "utf8" });
      expect([ended.status, ended.stderr]).toEqual([0, ""]);
    }
    expect(readdirSync(folder)).toEqual(["scythe.config.ts"]);
  });

  const has = (shell: string) => spawnSync(shell, ["--version"]).status === 0;

  test.skipIf(!has("zsh"))("in zsh", () => {
    const script = `autoload -Uz compinit && compinit -u -D; source <(scythe completion zsh)
      compadd() { local names=("\${(@P)\${@[-1]}}"); print -l -- $names; }
      words=(scythe show e) CURRENT=3 PREFIX=e _scythe`;
    const options = { cwd: project, env: { ...environment(), PATH: path() }, encoding: "utf8" as const };
    expect(execFileSync("zsh", ["-f", "-c", script], options)).toBe("echo\n");
  });

  test.skipIf(!has("fish"))("in fish", () => {
    const script = "scythe completion fish | source; complete -C 'scythe show e'";
    const options = { cwd: project, env: { ...environment(), PATH: path() }, encoding: "utf8" as const };
    expect(execFileSync("fish", ["--no-config", "-c", script], options)).toMatch(/^echo/);
  });
});

test("npx scythe works within a checkout, without network", () => {
  const env = { ...environment(), npm_config_cache: join(root, "npm-cache"), npm_config_offline: "true" };
  const example = join(ROOT, "examples", "lifespan");
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  expect(execFileSync("npx", ["scythe", "--version"], { cwd: example, env, encoding: "utf8" }).trim()).toBe(version);
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

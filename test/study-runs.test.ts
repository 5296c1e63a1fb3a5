import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openProject, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Of } from "../src/run/checksum.ts";
import { canonicalTables } from "./canonical.ts";
import type { CliProject } from "./cli-project.ts";
import { designProject, FILES } from "./design-project.ts";

let project: CliProject;
let opened: Scythe;
const scythe = (...args: string[]) => project.scythe(...args);
const manifestOf = async (id: string) => (await opened.findRun(id)).manifest;
const tablesOf = async (id: string) => canonicalTables(await (await opened.findRun(id)).openResults());

beforeAll(async () => {
  project = designProject();
  opened = await openProject(project.folder);
});
afterAll(async () => {
  await opened?.close();
  project?.remove();
});

/** A folder beside the project, with a study file and what is given. */
function studyFolder(name: string, study: string, files: Record<string, string> = {}): string {
  const folder = join(project.root, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "study.yml"), study);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

async function made(...args: string[]): Promise<string> {
  const { code, out, err } = await scythe(...args);
  expect([0, 3], err).toContain(code);
  return out.trim();
}

const STUDY = `experiment: all
design: sobol
n: 16
seed: 7
space:
  k: discrete:2,3
  source: files:one.txt,two.txt
fixed:
  mode: plain
max_failures: 90%
run_name: from-study
`;

describe("a study file", () => {
  it("beside its files, outside of the project, is run and kept with the run", async () => {
    const folder = studyFolder("beside", STUDY, { "one.txt": "1", "two.txt": "22" });
    const id = await made("run", join(folder, "study.yml"));
    expect(id).toMatch(/^from-study\//);
    expect(readFileSync(fileURLToPath(opened.storage.uriOf(`${id}/study.yml`)), "utf8")).toBe(STUDY);
    const details = (await manifestOf(id)).scythe!;
    expect(details).toMatchObject({ study_sha256: sha256Of(STUDY), seed: 7, spec_count: 16 });
    expect(details.design).toMatchObject({ design: "sobol", seed: 7, points: { first: 0, count: 16 } });
    const verified = await scythe("verify", id);
    expect({ code: verified.code, out: verified.out }).toMatchObject({ code: 0 });

    const same = await made(
      ...["run", "all", "--design", "sobol", "-n", "16", "--seed", "7", "--fix", "mode=plain"],
      ...["--space", "k=discrete:2,3", `source=files:${join(folder, "one.txt")},${join(folder, "two.txt")}`],
    );
    expect(await tablesOf(id)).toEqual(await tablesOf(same));
    const stranger = await scythe("extend", id, "-n", "16"); // a manifest is as far from trust as a study file
    expect(stranger).toMatchObject({ code: 2, err: expect.stringContaining("--allow-path") });
    const longer = await scythe("extend", id, "-n", "16", "--allow-path", folder);
    expect(longer.code, longer.err).toBeLessThanOrEqual(3);
    expect((await manifestOf(longer.out.trim())).scythe!.design!.points).toEqual({ first: 0, count: 32 });

    const target = join(project.root, "other");
    expect(await scythe("copy", id, target)).toMatchObject({ code: 0 });
    expect(readFileSync(join(target, id, "study.yml"), "utf8")).toBe(STUDY);
    const downloaded = join(project.root, "downloaded");
    const download = await scythe("download", id, "--to", downloaded);
    expect(download).toMatchObject({ code: 0 });
    const found = readdirSync(downloaded, { recursive: true }).map(String);
    expect(found.some((path) => path.endsWith("study.yml"))).toBe(true);

    writeFileSync(join(target, id, "study.yml"), STUDY.replace("seed: 7", "seed: 8"));
    const damaged = await scythe("verify", id, "--storage", target);
    expect(damaged.code).toBe(3);
    expect(damaged.out + damaged.err).toContain("study.yml");
  });

  it("gives way to flags, but not to other specs", async () => {
    const folder = studyFolder("flags", STUDY, { "one.txt": "1", "two.txt": "22" });
    const study = join(folder, "study.yml");
    const flags = ["-n", "4", "--seed", "3", "--space", "mode=discrete:plain", "x=uniform:0,0.5", "--fix", "k=4"];
    const id = await made("run", study, ...flags);
    const { design, seed, spec_count } = (await manifestOf(id)).scythe!;
    expect({ seed, spec_count, drawn: design!.seed }).toEqual({ seed: 3, spec_count: 4, drawn: 3 });
    const of = Object.fromEntries(design!.space.map(({ name, distribution }) => [name, distribution]));
    expect(of).toMatchObject({ x: "uniform:0,0.5", k: "fixed:4", mode: "discrete:plain" });
    for (const other of [["--specs", "x.csv"], ["x.csv"], ["--set", "x=1"], ["--specs-of", id], ["--grid", "x=1,2"]]) {
      const { code, err } = await scythe("run", study, ...other);
      expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("cannot be combined") });
    }
  });

  it.each([
    ["above its folder", "../secret.txt"],
    ["of an absolute path", ""],
  ])("of a stranger cannot have a file %s read", async (_, given) => {
    const secret = join(project.root, "secret.txt");
    writeFileSync(secret, "SECRET");
    const text = STUDY.replace("one.txt,two.txt", given || secret);
    const folder = studyFolder("stranger", text);
    const before = await scythe("list", "--json");
    const { code, err } = await scythe("run", join(folder, "study.yml"));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("secret.txt") });
    expect((await scythe("list", "--json")).out).toBe(before.out);
    await made("run", join(folder, "study.yml"), "--allow-path", project.root);
  });

  it("that was saved gives the same specs, wherever it lies", async () => {
    mkdirSync(join(project.folder, "studies"));
    const saved = join("studies", "saved.yml");
    const flags = ["-n", "16", "--design", "saltelli", "--seed", "5", ...FILES, "--space", "k=discrete:1,2,3"];
    flags.push("--fix", "code=02", "on=true", "--option", "secondOrder=false");
    const { code, err } = await scythe("sample", "all", ...flags, "--save", saved);
    expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining("is written") });
    const direct = await scythe("sample", "all", ...flags);
    const again = await scythe("sample", saved);
    expect(again).toEqual({ code: 0, out: direct.out, err: "" });
    const [a, b] = [await made("run", "all", ...flags), await made("run", saved)];
    expect(await tablesOf(b)).toEqual(await tablesOf(a));
    expect((await manifestOf(b)).scythe!.design).toEqual((await manifestOf(a)).scythe!.design);
    expect(await scythe("sample", "all", ...flags, "--save", saved)).toMatchObject({ code: 2 });
  });

  it("cannot say that points are skipped", async () => {
    const { code, err } = await scythe("sample", "all", "-n", "4", "--skip", "4", ...FILES, "--save", "skipped.yml");
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("--skip") });
    expect(existsSync(join(project.folder, "skipped.yml"))).toBe(false);
  });

  it.each([
    ["experiment: al\nn: 4\n", "al"],
    ["experiment: all\nn: 4\nsed: 1\n", 'line 3, column 1: there is no sed in a study. Did you mean "seed"?'],
    ["experiment: all\nn: 0\n", "line 2, column 1: n"],
    ["experiment: all\nn: 4\nspace:\n  xx: uniform:0,1\n", 'no input "xx". Did you mean "x"?'],
    ["experiment: all\nn: 4\nspace:\n  x: unifrom:0,1\n", "unifrom"],
    ["experiment: all\nn: 4\nfixed:\n  mode: other\n", "mode cannot be"],
    ["experiment: all\nn: 4\ndesign: sobl\n", "line 3, column 1: design"],
  ])("that says %j is refused", async (text, problem) => {
    const folder = studyFolder("wrong", text);
    const { code, err } = await scythe("run", join(folder, "study.yml"), ...FILES);
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(problem) });
  });

  it("that does not exist is named", async () => {
    const { code, err } = await scythe("run", "nothing.yml");
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("nothing.yml") });
  });
});

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openProject, type Scythe } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "./cli.ts";
import { MEASURED, measuredSpecs } from "./measured.ts";
import { startS3Server } from "./servers/s3-server.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-repro-test-"));
const storage = join(folder, "data");
let scythe: Scythe;
let id: string;

beforeAll(async () => {
  scythe = await openProject(MEASURED, { storage });
  const run = await scythe.allocate("measured", measuredSpecs(join(folder, "inputs"), 12), { seed: 2 ** 53 - 1 });
  await run.result();
  id = run.experimentId;
});
afterAll(async () => {
  await scythe.close();
  rmSync(folder, { recursive: true, force: true });
});

function node(script: string, env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [script], { cwd: tmpdir(), encoding: "utf8", env: { ...process.env, ...env } });
}

describe("scythe repro", () => {
  it("makes a folder whose script gives the same outputs, tables and files as the run", async () => {
    const to = join(folder, "good");
    const { status, script, notes } = await scythe.audit.repro(id, 3, { to });
    expect({ status, notes }).toEqual({ status: "succeeded", notes: [] });
    expect(readdirSync(to).sort()).toEqual(["README.md", "expected.json", "inputs", "repro.mjs", "spec.json"]);
    expect(readFileSync(join(to, "inputs/source/two.txt"), "utf8")).toBe("from two");
    expect(JSON.parse(readFileSync(join(to, "spec.json"), "utf8"))).toMatchObject({
      experiment: "measured",
      sort_index: 3,
      seed: 2 ** 53 - 1,
      attempt: 1,
      spec: {
        n: 3,
        big: { $bigint: "1152921504606846979" },
        when: { $date: "2026-01-01T00:00:03.000Z" },
        ratio: 3 / 7,
        options: { deep: { $bigint: "3" }, maybe: "x" },
        source: "inputs/source/two.txt",
      },
    });
    const { stdout, stderr, status: code } = node(script);
    expect(stdout, stderr).toContain("the same as in the run");
    expect(stdout).not.toContain("NOT");
    expect(stdout).toMatch(/steps\s+3 rows/);
    expect(code).toBe(0);
  });

  it("runs the scripts of folders that earlier versions made", async () => {
    const to = join(folder, "earlier");
    const { script } = await scythe.audit.repro(id, 3, { to });
    const earlier = readFileSync(script, "utf8").replace("scythe.audit.reproduce(here)", "scythe.reproduce(here)");
    expect(earlier).toContain("await scythe.reproduce(here)");
    writeFileSync(script, earlier);
    const { stdout, stderr, status } = node(script);
    expect(stdout, stderr).toContain("the same as in the run");
    expect(status).toBe(0);
  });

  it("needs nothing of the run any more", async () => {
    const to = join(folder, "alone");
    const own = join(folder, "own-data");
    await using project = await openProject(MEASURED, { storage: own });
    const run = await project.allocate("measured", measuredSpecs(join(folder, "inputs"), 2), { seed: 5 });
    await run.result();
    const { script } = await project.audit.repro(run.experimentId, 1, { to });
    rmSync(own, { recursive: true });
    rmSync(join(folder, "inputs"), { recursive: true });
    const { stdout, stderr, status } = node(script);
    expect(stdout, stderr).toContain("the same as in the run");
    expect(status).toBe(0);
    measuredSpecs(join(folder, "inputs"), 1);
  });

  it.each([
    [6, "throws", "error", "6 is too much in try 2"],
    [10, "nan", "invalid_output", "value = NaN"],
  ])("of a failed spec (%i, %s) fails the same way, at its last attempt", async (sortIndex, _kind, kind, message) => {
    const to = join(folder, `bad-${sortIndex}`);
    const { status, script } = await scythe.audit.repro(id, sortIndex, { to });
    expect(status).toBe("failed");
    const { stdout, stderr, status: code } = node(script);
    expect(stdout, stderr).toContain(`failed     ${kind}: `);
    expect(stdout).toContain(message);
    expect(stdout).toContain("the same failure as in the run");
    expect(code).toBe(0);
    expect(readFileSync(join(to, "README.md"), "utf8")).toContain(`It failed (${kind})`);
  });

  it("says what comes out otherwise, with exit code 3", async () => {
    const { script } = await scythe.audit.repro(id, 4, { to: join(folder, "drift") });
    const { stdout, status } = node(script, { DRIFT: "1" });
    expect(stdout).toMatch(/value {2}\d\S*\s+NOT as in the run: \d/);
    expect(stdout).toMatch(/log .*NOT as in the run: sha256/);
    expect(stdout).not.toMatch(/note .*NOT/);
    expect(status).toBe(3);
    const spec = join(folder, "drift", "spec.json");
    writeFileSync(spec, readFileSync(spec, "utf8").replace('"kind": "plain"', '"kind": "throws"'));
    expect(node(script).stdout).toContain("NOT as in the run: it succeeded there");
  });

  it("stops where a debugger is asked for", async () => {
    const { script } = await scythe.audit.repro(id, 5, { to: join(folder, "debug") });
    const child = spawn(process.execPath, ["--inspect-brk=127.0.0.1:0", script], { stdio: ["ignore", "pipe", "pipe"] });
    const said = await new Promise<string>((resolve) => {
      let text = "";
      child.stderr.setEncoding("utf8").on("data", (more: string) => {
        text += more;
        if (text.includes("Debugger listening")) resolve(text);
      });
      child.once("exit", () => resolve(text));
    });
    child.kill("SIGKILL");
    expect(said).toContain("Debugger listening on ws://127.0.0.1:");
  });

  it("never writes over files, and writes nothing then", async () => {
    const to = join(folder, "taken");
    mkdirSync(to);
    writeFileSync(join(to, "mine.txt"), "mine");
    await expect(scythe.audit.repro(id, 1, { to })).rejects.toMatchObject({ code: "conflict" });
    expect(readdirSync(to)).toEqual(["mine.txt"]);
    await expect(scythe.audit.repro(id, 12, { to: join(folder, "none") })).rejects.toMatchObject({ code: "not_found" });
    expect(existsSync(join(folder, "none"))).toBe(false);
  });

  it("tells of an input file that is gone or damaged, and goes on", async () => {
    const artifact = join(storage, id, "artifacts/source/one.txt");
    writeFileSync(artifact, "damaged");
    const damaged = await scythe.audit.repro(id, 2, { to: join(folder, "damaged") });
    expect(damaged.notes).toEqual([expect.stringMatching(/inputs.source.one\.txt is damaged/)]);
    rmSync(artifact);
    const gone = await scythe.audit.repro(id, 2, { to: join(folder, "gone") });
    expect(gone.notes).toEqual([expect.stringContaining("source could not be brought")]);
    expect(readFileSync(join(folder, "gone/README.md"), "utf8")).toContain("source could not be brought");
    writeFileSync(artifact, "from one");
  });

  it("on the command line prints the folder, and what to type next", async () => {
    const to = join(folder, "cli");
    const cli = (...args: string[]) => runCli(["repro", ...args, "--storage", storage], { cwd: MEASURED });
    const made = await cli(id, "8", "--to", to);
    expect(made.out).toBe(`${to}\n`);
    expect(made.err).toMatch(/next .*node .*repro\.mjs/);
    expect((await cli(id, "8", "--to", to)).code).toBe(2);
    expect((await cli(id, "x")).code).toBe(2);
    const json = JSON.parse((await cli(id, "9", "--to", `${to}-json`, "--json")).out);
    expect(json).toMatchObject({ sort_index: 9, folder: `${to}-json`, status: "succeeded", notes: [] });
  });
});

const server = await startS3Server();

describe.skipIf(!server)("scythe repro of a run in a bucket", () => {
  afterAll(() => server!.stop());

  it("brings spec and files", async () => {
    Object.assign(process.env, server!.env, { SCYTHE_CACHE_DIR: join(folder, "cache") });
    await using project = await openProject(MEASURED, { storage: `s3://${await server!.createBucket()}` });
    const run = await project.allocate("measured", measuredSpecs(join(folder, "inputs"), 4), { seed: 1 });
    await run.result();
    const { script, notes } = await project.audit.repro(run.experimentId, 3, { to: join(folder, "s3") });
    expect(notes).toEqual([]);
    const { stdout, stderr } = node(script, { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" });
    expect(stdout, stderr).toContain("the same as in the run");
  });
});

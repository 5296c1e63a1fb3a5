import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Certificate, defineExperiment, fileRef, openProject } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { specRunId } from "../src/run/spec-run-id.ts";
import { runCli } from "./cli.ts";
import { MEASURED, measuredSpecs } from "./measured.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-verify-outputs-"));
const storage = join(folder, "data");
let id: string;

async function verify(): Promise<Certificate> {
  await using project = await openProject(MEASURED, { storage, engine: "inline" });
  return project.audit.verify(id);
}

function write(path: string, text: string): string {
  writeFileSync(path, text);
  return path;
}

beforeAll(async () => {
  await using project = await openProject(MEASURED, { storage, engine: "inline" });
  const run = await project.allocate("measured", measuredSpecs(join(folder, "inputs"), 20), { seed: 7, chunkSize: 6 });
  await run.result();
  id = run.experimentId;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("scythe verify of output files", () => {
  it("names one that has other bytes, of which neither a download nor a copy is made", async () => {
    const [, log] = readdirSync(join(storage, id, "results/log"));
    const path = join(storage, id, "results/log", log!);
    const before = readFileSync(path);
    const flipped = Buffer.from(before);
    flipped[3]! ^= 1;
    writeFileSync(path, flipped);
    expect((await verify()).problems).toEqual([
      { check: "files", file: `results/log/${log}`, problem: "is damaged: its SHA-256 is not the recorded one" },
    ]);
    const cli = (...args: string[]) => runCli(args, { cwd: MEASURED });
    const to = join(folder, "of-damaged");
    const transfers = [
      await cli("download", id, "--storage", storage, "--to", `${to}-1`),
      await cli("copy", id, `${to}-2`, "--storage", storage),
    ];
    for (const { code, err } of transfers) {
      expect(err).toContain(`results/log/${log} is damaged`);
      expect(code).toBe(4);
    }
    writeFileSync(path, before);
  });

  it("tells files that nothing vouches for: one too many, and all of a run that recorded none", async () => {
    const stranger = join(storage, id, "results/log/stranger.txt");
    writeFileSync(stranger, "?");
    const told = async () => {
      const { problems, checks } = await verify();
      expect(problems).toEqual([]);
      const files = checks.find(({ name }) => name === "files")!;
      expect(files.status).toBe("unchecked");
      return files.says.join("; ");
    };
    expect(await told()).toMatch(/1 files in results\/ have no recorded SHA-256 .*: results\/log\/stranger\.txt$/);
    rmSync(stranger);
    const report = join(storage, id, "report.yml");
    const { output_artifacts, ...older } = parse(readFileSync(report, "utf8"));
    expect(output_artifacts).toMatchObject({ rows: 51 });
    writeFileSync(report, stringify(older));
    rmSync(join(storage, id, "output_artifacts.pq"));
    expect(await told()).toMatch(/51 files in results\/ have no recorded SHA-256/);
  });

  it("knows a file by the name that it got where another content had its own", async () => {
    const where = join(folder, "usurped");
    const usurped = defineExperiment({
      name: "usurped",
      input: z.object({ n: z.number() }),
      output: z.object({ logs: z.array(fileRef()) }),
      run: ({ n }, { tempDir, sortIndex }) => {
        const run = dirname(
          join(where, readdirSync(where, { recursive: true }).find((p) => /manifest\.yml$/.test(`${p}`)) as string),
        );
        const { workflow_run_id } = parse(readFileSync(join(run, "manifest.yml"), "utf8"));
        mkdirSync(join(run, "results/logs"), { recursive: true });
        if (n === 2)
          writeFileSync(join(run, `results/logs/${specRunId(workflow_run_id, sortIndex)}-1.txt`), "of a lost try");
        return { logs: ["a.txt", "b.txt"].map((name) => write(join(tempDir, name), `${name} of ${n}`)) };
      },
    });
    await using project = await openProject({ experiments: [usurped], storage: where });
    const run = await project.allocate("usurped", [{ n: 1 }, { n: 2 }, { n: 3 }]);
    const { report } = await run.result();
    expect(report).toMatchObject({ succeeded: 3, output_artifacts: { rows: 6 } });
    const { problems, checks } = await project.audit.verify(run.experimentId);
    expect(problems).toEqual([]);
    const { says } = checks.find(({ name }) => name === "files")!;
    expect(says).toContain("6 of 6 output files have theirs");
    expect(says.join("; ")).toMatch(/1 files in results\/ have no recorded SHA-256/);
  });
});

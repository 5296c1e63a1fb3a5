import { on, once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Ended } from "./cli.ts";
import { type CliProject, cliProject } from "./cli-project.ts";
import { startHatchetStandIn } from "./servers/hatchet-stand-in.ts";
import { startS3Server } from "./servers/s3-server.ts";
import { until } from "./steered.ts";

const CONFIG = `
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { defineConfig, defineExperiment } from "scythe-ts";
import { z } from "zod";

const talks = defineExperiment({
  name: "talks",
  input: z.object({ n: z.number().int(), how: z.string().default("well") }),
  output: z.object({ twice: z.number() }),
  retries: 0,
  executionTimeout: "5m",
  async run({ n, how }, ctx) {
    ctx.log("noted " + n);
    console.log("printed " + n);
    process.stderr.write("complained " + n + "\\n");
    if (how === "throws") throw new Error("no good");
    if (how === "dies") process.exit(3);
    if (how === "starts") execFileSync(process.execPath, ["-p", "'a program of ' + " + n], { stdio: "inherit" });
    if (how === "waits") while (!existsSync("go")) await sleep(20);
    return { twice: 2 * n };
  },
});
export default defineConfig({ experiments: [talks] });
`;

interface SpecLog {
  sort_index: number;
  failed: boolean;
  lines: { source: string; text: string }[];
}

const textOf = (log: SpecLog | undefined, source: string) =>
  (log?.lines ?? [])
    .filter((line) => line.source === source)
    .map(({ text }) => text)
    .join("");

describe("what specs say", () => {
  let project: CliProject;
  beforeAll(() => {
    project = cliProject(CONFIG);
  });
  afterAll(() => project.remove());
  const logsOf = async (run: string, ...flags: string[]) =>
    (await project.json("logs", run, "--json", ...flags)).specs as SpecLog[];
  const specs = (...hows: string[]) => {
    writeFileSync(join(project.folder, "specs.json"), JSON.stringify(hows.map((how, n) => ({ n, how }))));
    return "specs.json";
  };
  const expectWhole = (logs: readonly SpecLog[], count: number) => {
    expect(logs.map(({ sort_index }) => sort_index)).toEqual(Array.from({ length: count }, (_, n) => n));
    for (const [n, log] of logs.entries()) {
      expect(textOf(log, "log"), `spec ${n}`).toContain(`noted ${n}`);
      expect(textOf(log, "stdout"), `spec ${n}`).toContain(`printed ${n}\n`);
      expect(textOf(log, "stderr"), `spec ${n}`).toContain(`complained ${n}\n`);
    }
  };

  it("is told apart by spec on the local engine, also what one said that took its process with it", async () => {
    const hows = ["well", "throws", "dies", "starts", ...new Array(30).fill("well")];
    const outcome = await project.json("run", "talks", specs(...hows), "--slots", "2", "--json");
    expect(outcome).toMatchObject({ status: "complete", failed: 2 });
    const logs = await logsOf("talks");
    expectWhole(logs, hows.length);
    expect(logs.filter(({ failed }) => failed).map(({ sort_index }) => sort_index)).toEqual([1, 2]);
    const all = logs.map((log) => textOf(log, "stdout")).join("");
    expect(all).toContain("a program of 3");
    expect(all).not.toMatch(/scythe:|\0/);
  });

  it("of one spec, or of failed ones, alone", async () => {
    expect((await logsOf("talks", "--spec", "3")).map(({ sort_index }) => sort_index)).toEqual([3]);
    expect((await logsOf("talks", "--failed")).map(({ sort_index }) => sort_index)).toEqual([1, 2]);
    const text = await project.scythe("logs", "talks", "--spec", "0");
    // a spec that had not been handed over when another took the process with it has said all of it twice
    expect([...new Set(text.out.split("\n"))].sort()).toEqual([
      "",
      "spec 0  complained 0",
      "spec 0  noted 0",
      "spec 0  printed 0",
    ]);
    expect((await project.scythe("logs", "talks", "--spec", "99")).err).toContain(
      "There are no stored logs of spec 99",
    );
  });

  it("stays of failed specs when a run is cleared", async () => {
    expect((await project.scythe("gc", "talks", "--delete")).code).toBe(0);
    expect((await logsOf("talks", "--failed")).map(({ sort_index }) => sort_index)).toEqual([1, 2]);
    const again = await project.json("gc", "talks", "--json");
    expect(again.files).toBe(0);
    expect((await project.scythe("verify", "talks")).code).toBe(0);
  });

  it("leaves stdout alone on the inline engine", async () => {
    const args = ["run", "talks", specs("well", "throws", "well"), "--engine", "inline", "--run-name", "inline"];
    const { out, err } = await project.start([...args, "--json"]).ended;
    expect(JSON.parse(out)).toMatchObject({ status: "complete", failed: 1 });
    expect(err).not.toMatch(/complained|printed/);
    expectWhole(await logsOf("inline"), 3);
  });

  it("is seen while a spec still runs, and followed to the end", async () => {
    rmSync(join(project.folder, "go"), { force: true });
    const run = project.start(["run", "talks", specs("waits", "well"), "--slots", "1", "--run-name", "long"]);
    const [id] = ((await once(run.stdout!, "data")) as string[]).map((text) => text.trim());
    await until(async () => (await logsOf(id!)).length === 1, "a log of the spec that runs");
    const [log] = await logsOf(id!);
    expect(log!.sort_index).toBe(0);
    await until(async () => textOf((await logsOf(id!))[0], "stdout") === "printed 0\n", "what it printed");
    const follower = project.start(["logs", id!, "--follow", "--json"]);
    await once(follower.stdout!, "data");
    writeFileSync(join(project.folder, "go"), "");
    const followed: Ended = await follower.ended;
    const lines = followed.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ sort_index, source }) => `${sort_index} ${source}`).sort()).toEqual(
      [0, 1].flatMap((n) => ["log", "stderr", "stdout"].map((source) => `${n} ${source}`)),
    );
    expect((await run.ended).code).toBe(0);
    expect(existsSync(join(project.folder, "scythe-data", id!, "report.yml"))).toBe(true);
  });

  it("is kept in a bucket as on a disk", async ({ skip }) => {
    const server = await startS3Server();
    if (!server) return skip("no S3 server");
    try {
      const storage = `s3://${await server.createBucket()}/runs`;
      const inBucket = async (...args: string[]) =>
        JSON.parse((await project.scytheWith({ env: server.env }, ...args, "--storage", storage, "--json")).out);
      const hows = ["well", "throws", "dies", "well"];
      expect(await inBucket("run", "talks", specs(...hows), "--slots", "2")).toMatchObject({ failed: 2 });
      expectWhole((await inBucket("logs", "talks")).specs, hows.length);
      const failed: SpecLog[] = (await inBucket("logs", "talks", "--failed")).specs;
      expect(failed.map(({ sort_index }) => sort_index)).toEqual([1, 2]);
    } finally {
      await server.stop();
    }
  }, 120_000);
});

describe("a worker of a Hatchet server", () => {
  it("says as JSON that it serves, and keeps what specs say for whoever asks", async () => {
    const server = await startHatchetStandIn();
    const project = cliProject(CONFIG);
    const storage = join(project.root, "shared");
    const start = (...args: string[]) =>
      project.start([...args, "--storage", storage, "--json"], {
        env: { ...server.env, SCYTHE_WORKER_NAME: "first" },
      });
    const worker = start("worker", "--slots", "2");
    try {
      let said = "";
      for await (const text of on(worker.stdout!, "data")) {
        said += text;
        if (said.endsWith("}\n")) break;
      }
      expect(JSON.parse(said)).toEqual({
        name: "first",
        experiments: ["talks"],
        slots: 2,
        storage: pathToFileURL(storage).href,
      });

      writeFileSync(join(project.folder, "specs.json"), JSON.stringify([{ n: 0 }, { n: 1, how: "throws" }]));
      const run = await start("run", "talks", "specs.json", "--engine", "hatchet").ended;
      expect(JSON.parse(run.out)).toMatchObject({ status: "complete", succeeded: 1, failed: 1 });
      const logs: SpecLog[] = JSON.parse((await start("logs", "talks").ended).out).specs;
      expect(logs.map(({ sort_index, failed }) => [sort_index, failed])).toEqual([
        [0, false],
        [1, true],
      ]);
      for (const [n, log] of logs.entries()) {
        expect(textOf(log, "log")).toContain(`noted ${n}`);
        expect(textOf(log, "stdout")).toBe(`printed ${n}\n`);
      }
      worker.kill("SIGTERM");
      const { code, out } = await worker.ended;
      expect([code, out]).toEqual([0, said]); // nothing but that one value
    } finally {
      worker.kill("SIGKILL");
      await worker.ended;
      await server.close();
      project.remove();
    }
  }, 120_000);
});

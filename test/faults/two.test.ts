import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type S3Server, startS3Server } from "../servers/s3-server.ts";
import { until } from "../steered.ts";
import { calmTables, expectWhole, type Tables } from "./oracle.ts";
import { type Ended, type Plan, Scene } from "./scene.ts";
import { CASES_MS, drawn, family, forEachCase, type Random } from "./seed.ts";

const PLAN: Plan = { specs: 40, ms: 50, flags: ["--chunk-size", "4"] };
const server = await startS3Server();

family("two coordinators of one run", () => {
  let calm: Tables;
  beforeAll(async () => {
    calm = await calmTables(PLAN);
    Object.assign(process.env, server?.env); // the oracle reads the bucket, too
  }, 120_000);
  afterAll(() => server?.stop());

  const atOnce = async (where: "folder" | "bucket") =>
    forEachCase(`two coordinators at once in a ${where}`, { short: 1, full: 1 }, async (random) => {
      const scene = await sceneIn(where, server);
      try {
        const run = await begun(scene, random);
        const both = await Promise.all([0, 1].map(() => scene.start(["resume", run]).ended));
        const [refused, driver] = both.sort((a, b) => a.code! - b.code!) as [Ended, Ended];
        expect(driver.code, driver.stderr).toBe(3); // some of its specs fail, by design
        expectRefused(refused, /is already driven by process \d+|is already complete/);
        expectRefused(await scene.start(["resume", run]).ended, /is already complete/);
        return { injected: 1, ...(await expectWhole(scene, run, calm, PLAN)) };
      } finally {
        scene.remove();
      }
    });

  const places = server ? (["folder", "bucket"] as const) : (["folder"] as const);
  it.each(drawn<"folder" | "bucket">(places, 1))("at the same moment, in a %s: one row a spec", atOnce, CASES_MS);

  it(
    "one stopped, taken over and woken: it has no effect any more",
    async () => {
      await forEachCase("SIGSTOP, take-over, SIGCONT", { short: 1, full: 2 }, async (random) => {
        const scene = new Scene();
        try {
          const first = scene.start(scene.runArgs(PLAN));
          const run = await id(first.child);
          const parts = random.below(6);
          await until(() => scene.parts() >= parts, `${parts} parts`);
          first.child.kill("SIGSTOP");
          expect(existsSync(join(scene.storage, run, "report.yml"))).toBe(false);
          const by = `is already driven by process ${first.child.pid} `;
          expectRefused(await scene.start(["resume", run]).ended, new RegExp(by));
          const second = scene.start(["resume", run, "--take-over"]);
          const { code, stderr } = await second.ended;
          expect(code, stderr).toBe(3);
          first.child.kill("SIGCONT");
          const woken = await first.ended;
          expect(woken.code, woken.stderr).toBe(5);
          expect(woken.stderr).toContain(`was taken over by process ${second.child.pid} `);
          return { injected: 1, ...(await expectWhole(scene, run, calm, PLAN)) };
        } finally {
          scene.remove();
        }
      });
    },
    CASES_MS,
  );
});

async function sceneIn(where: "folder" | "bucket", s3: S3Server | undefined): Promise<Scene> {
  if (where === "folder") return new Scene();
  return new Scene({ storage: `s3://${await s3!.createBucket()}/p`, env: s3!.env });
}

/** Allocates a run and kills its coordinator somewhere on the way. */
async function begun(scene: Scene, random: Random): Promise<string> {
  const { child, ended } = scene.start(scene.runArgs(PLAN));
  const run = await id(child);
  setTimeout(() => child.kill("SIGKILL"), 100 + random.below(300));
  expect((await ended).signal).toBe("SIGKILL");
  return run;
}

/** The experiment_id is the first line, printed once the run is allocated. */
async function id(child: ReturnType<Scene["start"]>["child"]): Promise<string> {
  const text = await new Promise<string>((resolve) => child.stdout!.once("data", (data) => resolve(String(data))));
  return text.trim();
}

/** For the sake of the other: never an internal error, never a stack trace. */
function expectRefused({ code, stdout, stderr }: Ended, why: RegExp): void {
  expect(stderr + stdout).not.toMatch(/\n\s+at .*\(?(file|node):/);
  expect(code, stderr).toBe(2);
  expect(stderr).toMatch(why);
}

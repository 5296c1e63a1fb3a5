import { afterAll, beforeAll, expect, it } from "vitest";
import { type S3Server, startS3Server } from "../servers/s3-server.ts";
import { calmTables, expectWhole, type Tables } from "./oracle.ts";
import { type Ended, type Plan, Scene } from "./scene.ts";
import { CASES_MS, family, forEachCase, type Random } from "./seed.ts";

const PLAN: Plan = { specs: 40, ms: 20, flags: ["--chunk-size", "4"] };
const server = await startS3Server();

family("two coordinators of one run", () => {
  let calm: Tables;
  beforeAll(async () => {
    calm = await calmTables(PLAN);
    Object.assign(process.env, server?.env); // the oracle reads the bucket, too
  }, 120_000);
  afterAll(() => server?.stop());

  it.each(["a folder", "a bucket"])(
    "at the same moment, in %s: one row a spec",
    async (where) => {
      if (where === "a bucket" && !server) return;
      await forEachCase(`two coordinators at once in ${where}`, 1, async (random) => {
        const scene = await sceneIn(where, server);
        try {
          const run = await begun(scene, random);
          const both = await Promise.all([0, 1].map(() => scene.start(["resume", run]).ended));
          both.forEach(expectEnd);
          return await drivenOn(scene, run, calm);
        } finally {
          scene.remove();
        }
      });
    },
    CASES_MS,
  );

  it(
    "one stopped, taken over and woken: it has no effect any more",
    async () => {
      await forEachCase("SIGSTOP, take-over, SIGCONT", 2, async (random) => {
        const scene = await sceneIn("a folder", server);
        try {
          const first = scene.start(scene.runArgs(PLAN));
          await id(first.child);
          const woken = setTimeout(() => first.child.kill("SIGSTOP"), random.below(900));
          await new Promise((resolve) => setTimeout(resolve, 1_000));
          clearTimeout(woken);
          const run = scene.runs()[0]!;
          expectEnd(await scene.start(["resume", run]).ended); // or it says that the first one lives
          first.child.kill("SIGCONT");
          expectEnd(await first.ended);
          return await drivenOn(scene, run, calm);
        } finally {
          scene.remove();
        }
      });
    },
    CASES_MS,
  );
});

async function sceneIn(where: string, s3: S3Server | undefined): Promise<Scene> {
  if (where === "a folder") return new Scene();
  return new Scene({ storage: `s3://${await s3!.createBucket()}/p`, env: s3!.env });
}

/** Allocates a run and kills its coordinator somewhere on the way. */
async function begun(scene: Scene, random: Random): Promise<string> {
  const { child, ended } = scene.start(scene.runArgs(PLAN));
  const run = await id(child);
  setTimeout(() => child.kill("SIGKILL"), 100 + random.below(300));
  await ended;
  return run;
}

/** The experiment_id is the first line, printed once the run is allocated. */
async function id(child: ReturnType<Scene["start"]>["child"]): Promise<string> {
  const text = await new Promise<string>((resolve) => child.stdout!.once("data", (data) => resolve(String(data))));
  return text.trim();
}

/** Done, or refused for the sake of the other: never an internal error, never a stack trace. */
function expectEnd({ code, stdout, stderr }: Ended): void {
  expect(stderr + stdout).not.toMatch(/\n\s+at .*\(?(file|node):/);
  const why = /complete already|taken over|drives|driven|is running|another/i;
  expect(code === 3 || why.test(stderr), `exit code ${code}: ${stderr}`).toBe(true);
}

async function drivenOn(scene: Scene, run: string, calm: Tables) {
  const last = await scene.start(["resume", run]).ended;
  if (!/complete already/.test(last.stderr)) expect(last.code, last.stderr).toBe(3);
  return { injected: 1, ...(await expectWhole(scene, run, calm, PLAN)) };
}

import { beforeAll, expect, it } from "vitest";
import { MAX_DEATHS } from "../../src/worker/supervisor/crash-records.ts";
import { calmRun, calmTables, expectWhole, type Tables } from "./oracle.ts";
import { type Ended, type KillAt, type Plan, Scene, type Step } from "./scene.ts";
import { CASES_MS, drawn, family, forEachCase, LONG, type Random } from "./seed.ts";

const FLAT: Plan = { specs: 48, flags: ["--chunk-size", "6"] };
const DEEP: Plan = { specs: 48, flags: ["--chunk-size", "6", "--factor", "2", "--max-depth", "1"] };
const PLANS = drawn([FLAT, DEEP], 1);
const WHEN = ["before", "half", "after"] as const;

/**
 * Kills of one run that leave the tables of a calm one whenever they come: three that all meet one spec are held to be its
 * doing, and it is quarantined (docs/decisions/0012-quarantine.md).
 */
const MOST_KILLS = MAX_DEATHS - 1;

/** Kinds of steps of one run (`link part`), and how many there are of each. */
type Steps = Map<string, number>;

family("kill -9 of the coordinator", () => {
  const calm = new Map<Plan, Tables>();
  const steps = new Map<Plan, Steps>();
  beforeAll(async () => {
    for (const plan of PLANS) {
      const { tables, steps: done } = await calmRun(plan);
      calm.set(plan, tables);
      steps.set(plan, numbered(done));
    }
  }, 120_000);

  it(
    "at any step by which it changes files, the run is driven on to the same tables",
    async () => {
      const kinds = PLANS.flatMap((plan) => [...steps.get(plan)!.keys()].map((kind) => ({ plan, kind })));
      const order = new Set<number>();
      await forEachCase("kill -9 of the coordinator at a step", { short: 2, full: 16 }, async (random, index) => {
        // each kind of step once before any comes again
        if (order.size === kinds.length) order.clear();
        let next = random.below(kinds.length);
        while (order.has(next)) next = (next + 1) % kinds.length;
        order.add(next);
        const { plan, kind } = kinds[next]!;
        const at: KillAt = { kind, at: 1 + random.below(steps.get(plan)!.get(kind)!), when: random.pick(WHEN) };
        const engine = index % 3 === 0 ? "local" : "inline";
        return inScene(plan, calm.get(plan)!, (scene) => killAndResume(scene, plan, engine, at, random));
      });
    },
    CASES_MS,
  );

  it(
    "at any moment, with worker processes, the run is driven on to the same tables",
    async () => {
      const plan: Plan = { specs: 48, ms: 10, flags: FLAT.flags };
      const tables = await calmTables(plan);
      await forEachCase("kill -9 of the coordinator at a moment", { short: 1, full: 3 }, async (random) =>
        inScene(plan, tables, async (scene) => killAtMoments(scene, plan, random, MOST_KILLS)),
      );
    },
    CASES_MS,
  );

  it.runIf(LONG)(
    "fifty times, one run has the tables of a calm one",
    async () => {
      const plan: Plan = { specs: 300, ms: 20, flags: ["--chunk-size", "3"] };
      const tables = await calmTables(plan);
      await forEachCase("one run, its coordinator killed 50 times", { short: 0, full: 1 }, async (random) =>
        inScene(plan, tables, async (scene) => killAtMoments(scene, plan, random, 50)),
      );
    },
    CASES_MS,
  );
});

/** Does the harm, then asks the oracle. @param harm drives the run to its end, and says how often it was killed */
async function inScene(plan: Plan, calm: Tables, harm: (scene: Scene) => Promise<number>) {
  const scene = new Scene();
  try {
    const injected = await harm(scene);
    const runs = scene.runs();
    expect(runs).toHaveLength(1);
    return { injected, ...(await expectWhole(scene, runs[0]!, calm, plan)) };
  } finally {
    scene.remove();
  }
}

function numbered(steps: readonly Step[]): Steps {
  const found: Steps = new Map();
  for (const { kind } of steps) found.set(kind, (found.get(kind) ?? 0) + 1);
  return found;
}

/** Kills at a step; what drives the run on is killed, too, now and then. Returns the number of kills. */
async function killAndResume(scene: Scene, plan: Plan, engine: string, at: KillAt, random: Random): Promise<number> {
  const flags = ["--engine", engine];
  let kills = 0;
  let kill: KillAt | undefined = at;
  for (let tries = 0; tries < 12; tries++) {
    const [run] = scene.runs();
    const args = run ? ["resume", run, ...flags] : [...scene.runArgs(plan), ...flags];
    const ended: Ended = await scene.watched(args, kill).ended;
    if (ended.signal === "SIGKILL") kills++;
    else return finished(ended, kills);
    if (scene.runs().length === 0) await expectNothingHalf(scene);
    const again = kills < MOST_KILLS && random.chance(0.5);
    kill = again ? { at: 1 + random.below(60), when: random.pick(WHEN) } : undefined;
  }
  throw new Error("the run did not come to its end");
}

async function killAtMoments(scene: Scene, plan: Plan, random: Random, times: number): Promise<number> {
  let kills = 0;
  for (let tries = 0; tries < times * 4; tries++) {
    const [run] = scene.runs();
    const { child, ended } = scene.start(run ? ["resume", run] : scene.runArgs(plan));
    const timer = kills < times ? setTimeout(() => child.kill("SIGKILL"), 150 + random.below(900)) : undefined;
    const end = await ended;
    clearTimeout(timer);
    if (end.signal === "SIGKILL") kills++;
    else return finished(end, kills);
  }
  throw new Error("the run did not come to its end");
}

/** A run that was killed after its report was written is complete, and says so to whoever resumes it. */
function finished({ code, stderr }: Ended, kills: number): number {
  if (!/is already complete/.test(stderr)) expect(code, stderr).toBe(3);
  return kills;
}

/** Before its manifest is there a run has no specs, and nothing takes it for one that has. */
async function expectNothingHalf(scene: Scene): Promise<void> {
  const listed = await scene.start(["list", "steady", "--json"]).ended;
  if (!scene.holdsAnything()) {
    expect(listed.code, listed.stderr).toBe(2);
    expect(JSON.parse(listed.stdout).error.code).toBe("not_found");
    return;
  }
  expect(listed.code, listed.stderr).toBe(0);
  const { runs } = JSON.parse(listed.stdout) as { runs: { status: string; allocated: number | null }[] };
  for (const run of runs) expect(run).toMatchObject({ status: "interrupted", allocated: null });
  const shown = await scene.start(["show", "steady"]).ended;
  expect(shown.code, shown.stdout).toBe(2);
}

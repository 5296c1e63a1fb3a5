import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, vi } from "vitest";
import { calmTables, expectWhole, type Tables } from "./oracle.ts";
import { type Ended, type Going, kill, type Plan, PROJECT, Scene } from "./scene.ts";
import { CASES_MS, drawn, FULL, family, forEachCase, LONG, type Random } from "./seed.ts";

const WORKER = fileURLToPath(new URL("../../dist/worker/process.js", import.meta.url));
const CONFIG = join(PROJECT, "scythe.config.mjs");
/** Time between two kills. */
const EVERY_MS = 500;

family("kill -9 of worker processes", () => {
  it(
    "every half second: what they had handed over is kept, the rest is run again",
    async () => {
      const plan: Plan = { specs: FULL ? 80 : 24, ms: 50, flags: ["--chunk-size", "2"] };
      const calm = await calmTables(plan);
      await forEachCase("kill -9 of a worker process every 0.5 s", { short: 1, full: 1 }, (random) =>
        driven(plan, calm, [], (scene, going) => killWorkers(scene, going, random)),
      );
    },
    CASES_MS,
  );

  it(
    "and of their coordinator, in a deep tree on one slot: it comes to its end",
    async () => {
      const plan: Plan = LONG
        ? { specs: 1_100, flags: ["--factor", "4", "--max-depth", "5", "--chunk-size", "1"] }
        : { specs: FULL ? 70 : 20, ms: 20, flags: ["--factor", "2", "--max-depth", "5", "--chunk-size", "1"] };
      const calm = await calmTables(plan);
      await forEachCase("kills throughout a deep tree on one slot", { short: 1, full: 1 }, (random) =>
        driven(plan, calm, ["--slots", "1"], async (scene, going, round) => {
          const workers = killWorkers(scene, going, random);
          const dies = round < (FULL ? 3 : 1);
          if (dies) setTimeout(() => going.child.kill("SIGKILL"), 700 + random.below(2_000));
          return (await workers) + (dies ? 1 : 0);
        }),
      );
    },
    CASES_MS,
  );
});

it("a worker process whose coordinator is killed while it loads the project ends, too", async () => {
  for (const ms of drawn([0, 40, 80, 120, 160, 240, 400], 3)) {
    const program = `
      const stdio = ["ignore", "ignore", "ignore", "ipc"];
      const child = require("node:child_process").fork(${JSON.stringify(WORKER)}, [${JSON.stringify(CONFIG)}, String(process.pid)], { stdio });
      console.log(child.pid);
      setTimeout(() => process.kill(process.pid, "SIGKILL"), ${ms});`;
    const supervisor = spawn(process.execPath, ["-e", program]);
    const [pid] = (await once(supervisor.stdout.setEncoding("utf8"), "data")) as [string];
    await vi.waitFor(() => expect(() => process.kill(Number(pid), 0), `${ms} ms`).toThrow(/ESRCH/), {
      timeout: 20_000,
    });
  }
});

type Harm = (scene: Scene, going: Going, round: number) => Promise<number>;

/** Drives a run on, again and again, while `harm` is done to its processes. @param harm says how often */
async function driven(plan: Plan, calm: Tables, flags: readonly string[], harm: Harm) {
  const scene = new Scene();
  let injected = 0;
  try {
    for (let round = 0; ; round++) {
      const [run] = scene.runs();
      const going = scene.start([...(run ? ["resume", run] : scene.runArgs(plan)), ...flags]);
      injected += await harm(scene, going, round);
      const ended = await going.ended;
      if (isDone(ended)) break;
      expect(round, ended.stderr).toBeLessThan(20);
    }
    // a worker that is killed costs the spec in hand a try, and the row of a failed one says so
    const found = await expectWhole(scene, scene.runs()[0]!, calm, plan, { ignore: ["attempts"] });
    return { injected, ...found };
  } finally {
    scene.remove();
  }
}

function isDone({ code, signal, stderr }: Ended): boolean {
  if (signal === "SIGKILL") return false;
  if (code === 4) {
    expect(stderr).toMatch(/process/); // none lived long enough to run a spec: nothing is lost
    return false;
  }
  if (/is already complete/.test(stderr)) return true;
  expect(code, stderr).toBe(3);
  return true;
}

async function killWorkers(scene: Scene, { ended }: Going, random: Random): Promise<number> {
  let killed = 0;
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (let parts = scene.parts(); !over; ) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, EVERY_MS))]);
    const workers = scene.processes().filter(({ command }) => command.includes("/worker/process.js"));
    // on a machine where a process takes longer to start than it may live, nothing could ever be done
    if (over || workers.length === 0 || scene.parts() === parts) continue;
    parts = scene.parts();
    kill(random.pick(workers).pid, "SIGKILL");
    killed++;
  }
  return killed;
}

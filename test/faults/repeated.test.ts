import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import { allocateRun } from "../../src/allocate/allocate.ts";
import { loadConfig } from "../../src/config.ts";
import type { Json, Settled, TreeProgram } from "../../src/engine/engine.ts";
import { inProcessEngine } from "../../src/engine/in-process/in-process.ts";
import { Registry } from "../../src/experiment/registry.ts";
import { ControlWatch } from "../../src/run/control-watch.ts";
import { Drives } from "../../src/runs/drives.ts";
import { programsOf } from "../../src/runs/program.ts";
import { startRun } from "../../src/runs/start.ts";
import { RunCache } from "../../src/scatter/run-task.ts";
import { localStorage } from "../../src/storage/local/local.ts";
import { MemoryBudget } from "../../src/table/memory-budget.ts";
import { FailureWatch } from "../../src/worker/supervisor/failure-watch.ts";
import { inProcessRunner } from "../../src/worker/supervisor/in-process-runner.ts";
import { BufferPool } from "../../src/worker/supervisor/part-buffers.ts";
import { SuspectLock } from "../../src/worker/supervisor/spec-notes.ts";
import { calmTables, expectWhole, type Tables } from "./oracle.ts";
import { type Plan, PROJECT, Scene } from "./scene.ts";
import { CASES_MS, family, forEachCase, type Random } from "./seed.ts";

const PLAN: Plan = { specs: 48, flags: ["--chunk-size", "6", "--factor", "2", "--max-depth", "1"] };

family("steps that are done twice, late, and in another order", () => {
  let calm: Tables;
  beforeAll(async () => {
    calm = await calmTables(PLAN);
  }, 120_000);

  it(
    "leave one row a spec",
    async () => {
      await forEachCase("duplicated, delayed and reordered steps", { short: 2, full: 4 }, async (random) => {
        const scene = new Scene();
        const counter = { injected: 0 };
        try {
          const run = await driveAskew(scene, random, counter);
          return { ...counter, ...(await expectWhole(scene, run, calm, PLAN)) };
        } finally {
          scene.remove();
        }
      });
    },
    CASES_MS,
  );
});

/** Runs the plan on an engine in this process whose program is {@link askew}. */
async function driveAskew(scene: Scene, random: Random, counter: { injected: number }): Promise<string> {
  const { config } = await loadConfig(PROJECT);
  const registry = new Registry(config.experiments);
  const experiment = registry.get("steady");
  const storage = localStorage(scene.storage);
  const fetchUri = async (uri: string) => storage.localPath!(storage.keyOf(uri)!);
  const controls = new ControlWatch(storage);
  const programs = programsOf([
    {
      controls,
      limits: new FailureWatch(storage, controls),
      storage,
      experiment,
      runs: new RunCache(storage),
      scratch: scene.tmp,
      runner: inProcessRunner(registry),
      buffers: new BufferPool(),
      worker: "askew",
      executionTimeoutMs: 60_000,
      fetchUri,
      suspectLock: new SuspectLock(),
      memoryLimit: undefined,
      maxOutputSize: 2 ** 20,
      memory: new MemoryBudget(512),
    },
  ]);
  const specs = scene.specs(PLAN);
  const options = { seed: 5, chunkSize: 6, recursion: { factor: 2, maxDepth: 1 } };
  const allocated = await allocateRun(storage, experiment, specs, options, { folder: PROJECT, fetchUri });
  const harmed = Object.fromEntries(
    Object.entries(programs).map(([name, code]) => [name, askew(code, random, counter)]),
  );
  const engine = inProcessEngine(harmed, { name: "askew", isolation: "none", slots: 3 });
  const home = { engine, engineNamed: () => undefined, controls, drives: new Drives() };
  const run = await startRun(storage, home, experiment, allocated);
  const { report } = await run.result();
  expect(report).toMatchObject({ missing: 0 });
  return run.experimentId;
}

/** A program as an engine without any mercy would call it. */
function askew(program: TreeProgram, random: Random, counter: { injected: number }): TreeProgram {
  const twice = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!random.chance(0.5)) return work();
    counter.injected++;
    const second = sleep(random.below(30)).then(work);
    const [first, again] = await Promise.allSettled([work(), second]);
    if (first.status === "fulfilled") return first.value;
    if (again.status === "fulfilled") return again.value;
    throw first.reason;
  };
  return {
    ...program,
    expand: async (node, settled, context) => {
      const told = shuffled(settled, random).filter(() => random.chance(0.7)) as Settled[];
      const wave = await twice(() => program.expand(node, told, context));
      return { ...wave, ...(wave.leaves ? { leaves: shuffled(wave.leaves, random) as Json[] } : {}) };
    },
    leaf: async (payload, context) => {
      await sleep(random.below(20));
      return twice(() => program.leaf(payload, context));
    },
  };
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.below(left.length), 1)[0]!);
}

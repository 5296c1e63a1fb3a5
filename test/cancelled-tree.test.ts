import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig, defineExperiment, localStorage, openProject } from "scythe-ts";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Json } from "../src/engine/engine.ts";
import { TreeWalk } from "../src/engine/in-process/tree-walk.ts";
import { SlotPool } from "../src/engine/slot-pool.ts";
import { request } from "../src/run/control.ts";
import { ControlWatch } from "../src/run/control-watch.ts";
import { updateState } from "../src/run/state.ts";
import { programsOf } from "../src/runs/program.ts";
import { RunCache } from "../src/scatter/run-task.ts";
import { listAll } from "../src/storage/storage.ts";
import { MemoryBudget } from "../src/table/memory-budget.ts";
import { FailureWatch } from "../src/worker/supervisor/failure-watch.ts";
import { inProcessRunner } from "../src/worker/supervisor/in-process-runner.ts";
import { BufferPool } from "../src/worker/supervisor/part-buffers.ts";
import { SuspectLock } from "../src/worker/supervisor/spec-notes.ts";
import { pausedOnce } from "./paused-storage.ts";
import { stateIn } from "./steered.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-cancelled-tree-"));
const scratch = join(folder, "scratch");
mkdirSync(scratch);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const twice = defineExperiment({
  name: "twice",
  input: z.object({ n: z.int() }),
  output: z.object({ m: z.int() }),
  run: ({ n }) => ({ m: 2 * n }),
});

/** The program of a complete run of depth 1, as its engine calls it, before anything of the run was done. */
async function begun(name: string) {
  const storage = localStorage(join(folder, name));
  await using project = await openProject(defineConfig({ experiments: [twice] }), { storage, engine: "inline" });
  const specs = Array.from({ length: 12 }, (_, n) => ({ n }));
  const run = await project.allocate(twice, specs, { chunkSize: 2, recursion: { factor: 2, maxDepth: 1 } });
  await run.result();
  const layout = run.layout;
  const keys = async (prefix: string) => (await listAll(storage, prefix)).map(({ key }) => key);
  await storage.delete([layout.report, ...(await keys(layout.final)), ...(await keys(layout.tree))]);
  await updateState(storage, layout, () => ({ status: "running" }));
  const program = (through = storage, controls = new ControlWatch(storage)) => {
    const settings = {
      storage: through,
      experiment: twice,
      runs: new RunCache(through),
      scratch,
      controls,
      memory: new MemoryBudget(1_024),
      limits: new FailureWatch(through, controls),
      suspectLock: new SuspectLock(),
      runner: inProcessRunner(project.registry),
      buffers: new BufferPool(),
      worker: "test",
      executionTimeoutMs: 60_000,
      memoryLimit: undefined,
      maxOutputSize: 1e6,
      fetchUri: async (uri: string) => uri,
    };
    return programsOf([settings]).twice!;
  };
  const node = (offset?: number): Json => ({
    experiment_id: run.experimentId,
    epoch: 1,
    generation: 0,
    path: offset === undefined ? [] : [{ factor: 2, offset }],
  });
  return { storage, layout, keys, program, node, id: run.experimentId };
}

const walk = (program: ReturnType<typeof programsOf>[string], root: Json) =>
  new TreeWalk(program, new SlotPool(1), new AbortController().signal).run(root);
const context = {
  signal: new AbortController().signal,
  attempt: 1,
  capacity: 1,
  slot: 0,
  heartbeat: () => undefined,
  releaseSlot: () => undefined,
};

describe("of a run that is cancelled, a node below the root", () => {
  it("is left as it is where parts are missing: the run ends as cancelled, and can be driven on", async () => {
    const { storage, layout, keys, program, node, id } = await begun("in-hand");
    const controls = new ControlWatch(storage);
    const slow = pausedOnce(storage, /\/recurse\/.*\/parts\//, async () => {
      await request(storage, layout, 1, "cancel");
      controls.set(layout, 1, { cancel: "drain" }); // heard at once, as from the process that drives it
    });
    await expect(walk(program(slow, controls), node())).rejects.toMatchObject({ code: "cancelled" });
    expect(await stateIn(storage, id)).toMatchObject({ status: "cancelled" });
    const written = await keys(layout.allParts);
    expect(written.filter((key) => key.includes("/parts/")).length).toBeGreaterThan(0);
    expect(written.filter((key) => key.includes("/gathered/"))).toEqual([]);
    await using project = await openProject(defineConfig({ experiments: [twice] }), { storage, engine: "inline" });
    expect((await (await project.resume(id)).result()).report).toMatchObject({ succeeded: 12, failed: 0 });
  });

  it("is not merged where all of its parts are there", async () => {
    const { storage, layout, keys, program, node } = await begun("done");
    await walk(program(), node());
    await storage.delete([layout.report, ...(await keys(layout.allParts)).filter((key) => key.includes("/gathered/"))]);
    await request(storage, layout, 1, "cancel");
    expect(await program().merge(node(1), context)).toEqual({});
    expect((await keys(layout.allParts)).filter((key) => key.includes("/gathered/"))).toEqual([]);
  });
});

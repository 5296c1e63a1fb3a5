import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localStorage, openProject, type Storage } from "scythe-ts";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { TaskContext } from "../src/engine/engine.ts";
import { deferred } from "../src/engine/toy-programs.testsuite.ts";
import { parseExperimentId, RunLayout } from "../src/run/layout.ts";
import { readState, takeOver, updateState } from "../src/run/state.ts";
import { beginRetry } from "../src/runs/retry.ts";
import { mergeNode } from "../src/scatter/gather/gather.ts";
import { type NodeTask, RunCache, type TreeSettings } from "../src/scatter/run-task.ts";
import { expandNode } from "../src/scatter/scatter.ts";
import { listAll } from "../src/storage/storage.ts";
import { MemoryBudget } from "../src/table/memory-budget.ts";
import { pausedOnce, pausedStorage } from "./paused-storage.ts";
import { expectWhole, finished, STEERED, stateIn, steadySpecs } from "./steered.ts";

/** What keeps a driver that was overtaken, and tables that have changed, from having an effect: each line on its own. */

const root = mkdtempSync(join(tmpdir(), "scythe-fences-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folder: string;
let uri: string;
let storage: Storage;
beforeEach(() => {
  folder = mkdtempSync(join(root, "case-"));
  uri = join(folder, "data");
  storage = localStorage(uri);
});

const open = (through: Storage = storage) => openProject(STEERED, { storage: through, engine: "inline" });
const layoutOf = (id: string) => new RunLayout(parseExperimentId(id)!);
const keys = async (prefix: string) => (await listAll(storage, prefix)).map(({ key }) => key);
/** The third of ten fails. */
const specs = (count: number) => steadySpecs(folder, count, 0, (n) => (n % 10 === 2 ? "fails" : "well")).specs;
const overtaken = { code: "conflict", details: { epoch: 1, current: 2 } };
const context: TaskContext = {
  signal: new AbortController().signal,
  attempt: 1,
  capacity: 2,
  slot: 0,
  heartbeat: () => undefined,
  releaseSlot: () => undefined,
};

/** A complete run, and what its steps need to be asked for once more. */
async function completed(options: { factor?: number; maxDepth?: number } = {}) {
  await using project = await open();
  const recursion = { factor: options.factor ?? 3, maxDepth: options.maxDepth ?? 0 };
  const run = await project.allocate("steady", specs(10), { chunkSize: 3, recursion });
  await run.result();
  const id = run.experimentId;
  const experiment = project.registry.get("steady");
  const settings = (through = storage): TreeSettings => ({
    storage: through,
    experiment,
    runs: new RunCache(through),
    scratch: join(folder, "scratch"),
    memory: new MemoryBudget(1_024),
  });
  const task: NodeTask = { experiment_id: id, path: [], epoch: 1, generation: 0 };
  return { id, layout: layoutOf(id), experiment, manifest: run.manifest, settings, task };
}

/** As if another process had begun to drive the run. */
const raiseEpoch = (layout: RunLayout) => updateState(storage, layout, ({ epoch }) => ({ epoch: epoch + 1 }));

describe("a driver that was overtaken", () => {
  it("plans nothing", async () => {
    const { layout, settings, task } = await completed();
    await storage.delete([layout.report, ...(await keys(layout.tree))]);
    await raiseEpoch(layout);
    await expect(expandNode(settings(), task, [], context)).rejects.toMatchObject(overtaken);
    expect(await keys(layout.tree)).toEqual([]);
  });

  it("does not take what the other has finished for its own", async () => {
    const { layout, settings, task } = await completed();
    await raiseEpoch(layout);
    await expect(mergeNode(settings(), task)).rejects.toMatchObject(overtaken);
  });

  it("commits no part", async () => {
    const slow = pausedOnce(storage, /\/output\/.*\/tables\//, (key) =>
      raiseEpoch(layoutOf(key.split("/", 3).join("/"))),
    );
    await using project = await open(slow);
    const run = await project.allocate("steady", specs(3), { chunkSize: 3 });
    await expect(run.result()).rejects.toMatchObject(overtaken);
    expect((await keys(`${run.experimentId}/scatter-gather/output/`)).filter((key) => key.includes("/parts/"))).toEqual(
      [],
    );
  });

  it("completes no gathered set", async () => {
    const { layout, settings, task } = await completed({ maxDepth: 1 });
    const child = { ...task, path: [{ factor: 3, offset: 2 }] }; // with the spec that fails
    const before = await keys(layout.gatheredFolder(child.path, 0));
    expect(before.map((key) => key.replace(/^.*\/|\..*$/g, "")).sort()).toEqual(["errors", "rows"]);
    await storage.delete(before);
    const slow = pausedOnce(storage, /\/gathered\/.*\/errors\./, () => raiseEpoch(layout));
    await expect(mergeNode(settings(slow), child)).rejects.toMatchObject(overtaken);
    expect(await storage.head(layout.gathered(child.path, 0))).toBeUndefined();
  });

  it("completes no run by a report that comes late", async () => {
    const gate = deferred();
    const reached = deferred();
    const slow = pausedOnce(storage, /\/report\.yml$/, () => {
      reached.resolve();
      return gate.promise;
    });
    await using project = await open(slow);
    const run = await project.allocate("steady", specs(5));
    await reached.promise;
    await takeOver(storage, layoutOf(run.experimentId), "inline"); // which is all that the other has done yet
    gate.resolve();
    await expect(run.result()).rejects.toMatchObject(overtaken);
    expect(await storage.head(`${run.experimentId}/report.yml`)).toBeDefined();
    await expect(run.openResults()).rejects.toMatchObject({ code: "not_found" });
  });

  it("by a retry, does not say that the new generation is complete", async () => {
    let retried = 0;
    const slow = pausedStorage(storage, async (key, text) => {
      if (retried > 0 || !key.endsWith("/state.yml") || !/^status: complete$/m.test(text)) return;
      const run = await other.findRun(key.split("/", 3).join("/"));
      const { manifest } = run;
      retried = await beginRetry(
        storage,
        { layout: layoutOf(run.experimentId), manifest },
        other.registry.get("steady"),
        {},
      );
    });
    await using other = await open();
    await using project = await open(slow);
    const run = await project.allocate("steady", specs(5));
    await expect(run.result()).rejects.toMatchObject(overtaken);
    expect(retried).toBe(1);
    expect(await stateIn(storage, run.experimentId)).toMatchObject({ status: "allocated", epoch: 2, generation: 1 });
    const again = await other.resume(run.experimentId);
    expect((await again.result()).report).toMatchObject({ generation: 1, succeeded: 4, failed: 1 });
  });
});

describe("a run whose report stands", () => {
  it("plans nothing, though its tree is gone and its state does not say so", async () => {
    const { layout, settings, task } = await completed();
    await storage.delete(await keys(layout.tree));
    await updateState(storage, layout, () => ({ status: "running" }));
    expect(await expandNode(settings(), task, [], context)).toEqual({});
    expect(await keys(layout.tree)).toEqual([]);
    await mergeNode(settings(), task);
    expect((await readState(storage, layout))?.status).toBe("complete");
  });
});

/** One bit in the middle. */
async function harm(key: string): Promise<Uint8Array> {
  const { body } = await storage.get(key);
  const harmed = Uint8Array.from(body);
  harmed[harmed.length >> 2]! ^= 1;
  await storage.put(key, harmed);
  return body;
}

describe("finished rows that have changed", () => {
  const damaged = { code: "storage", message: expect.stringContaining("is damaged: its SHA-256") };

  it("are not carried on by a run that extends another", async () => {
    const { id } = await completed();
    let whole: Uint8Array | undefined;
    const carried = /\/input\/carried\/scalars\.pq$/;
    const slow = pausedOnce(storage, /\/parts\//, async (key) => {
      const [found] = (await keys(key.split("/", 3).join("/"))).filter((other) => carried.test(other));
      whole = await harm(found!);
    });
    await using project = await open(slow);
    const run = await project.extend(id, steadySpecs(folder, 2, 0).specs);
    await expect(run.result()).rejects.toMatchObject(damaged);
    expect(await keys(`${run.experimentId}/final/`)).toEqual([]);
    await storage.put(`${run.experimentId}/scatter-gather/input/carried/scalars.pq`, whole!);
    await run.resume();
    expect((await run.result()).report).toMatchObject({ allocated: 12, succeeded: 11, failed: 1 });
  });

  it("are not kept as the errors of before, and what was kept of them is not counted on", async () => {
    const { id, layout } = await completed();
    const before = await finished(storage, id);
    let whole: Uint8Array | undefined;
    const slow = pausedOnce(storage, /\/parts\//, async () => {
      whole = await harm(layout.finalTable("errors"));
    });
    await using project = await open(slow);
    const run = (await project.retry(id))!;
    await expect(run.result()).rejects.toMatchObject(damaged);
    expect(await keys(layout.key("history/"))).toEqual([]);

    await storage.put(layout.finalTable("errors"), whole!);
    await using dying = await open(
      pausedOnce(storage, /\/history\/.*report\.yml$/, () => Promise.reject(new Error("it dies after the errors"))),
    );
    await expect((await dying.resume(id)).result()).rejects.toThrow("it dies after the errors");
    const kept = layout.history(0, "errors.pq");
    whole = await harm(kept);
    await using last = await open();
    await expect((await last.resume(id)).result()).rejects.toMatchObject(damaged);
    expect(await finished(storage, id)).toEqual(before);
    await storage.put(kept, whole);
    await (await last.resume(id)).result();
    await expectWhole(uri, id, storage, 10, 1);
  });

  it("are not taken over from a run that is retried meanwhile", async () => {
    const { id, layout, manifest, experiment } = await completed();
    const slow = pausedOnce(storage, /\/input\/carried\/scalars\.pq$/, () =>
      beginRetry(storage, { layout, manifest }, experiment, {}),
    );
    await using project = await open(slow);
    await expect(project.extend(id, steadySpecs(folder, 2, 0).specs)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("is not complete, so it cannot be extended"),
    });
    expect(await project.experiment("steady").listRuns()).toEqual([id]);
  });
});

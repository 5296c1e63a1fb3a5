import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localStorage, openProject } from "scythe-ts";
import { afterAll, describe, expect, it } from "vitest";
import { parseExperimentId, RunLayout } from "../src/run/layout.ts";
import { RunCache } from "../src/scatter/run-task.ts";
import { expandNode } from "../src/scatter/scatter.ts";
import { listAll } from "../src/storage/storage.ts";
import { MemoryBudget } from "../src/table/memory-budget.ts";
import { STEERED, steadySpecs } from "./steered.ts";

/** Hatchet's queue may hold payloads of an earlier version, and workers of one: these names cannot change. */

const folder = mkdtempSync(join(tmpdir(), "scythe-queued-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const context = {
  signal: new AbortController().signal,
  attempt: 1,
  capacity: 2,
  slot: 0,
  heartbeat: () => undefined,
  releaseSlot: () => undefined,
};

/** A run of ten specs of which nothing is done, and how a node of it is expanded. */
async function undone(maxDepth: number) {
  const storage = localStorage(join(folder, `data${maxDepth}`));
  await using project = await openProject(STEERED, { storage, engine: "inline" });
  const { specs } = steadySpecs(folder, 10, 0);
  const run = await project.allocate("steady", specs, { chunkSize: 4, recursion: { factor: 3, maxDepth } });
  await run.result();
  const layout = new RunLayout(parseExperimentId(run.experimentId)!);
  await storage.delete([layout.report, ...(await listAll(storage, layout.tree)).map(({ key }) => key)]);
  const experiment = project.registry.get("steady");
  const runs = new RunCache(storage);
  const settings = { storage, experiment, runs, scratch: folder, memory: new MemoryBudget(1_024) };
  return {
    id: run.experimentId,
    hash: run.manifest.scythe!.schema_hash,
    expand: (payload: string) => expandNode(settings, JSON.parse(payload), [], context),
  };
}

describe("what crosses an engine keeps the names that it had", () => {
  it("in the payload of a node, whose leaves are", async () => {
    const { id, hash, expand } = await undone(0);
    const { leaves } = await expand(`{"experiment_id":"${id}","path":[],"epoch":1,"generation":0}`);
    const first = { experiment_id: id, path: [], epoch: 1, generation: 0, from: 0, to: 4, box_ms: null };
    expect(leaves).toHaveLength(3);
    expect(leaves![0]).toStrictEqual({ ...first, schema_hash: hash });
  });

  it("in the payloads of its children", async () => {
    const { id, expand } = await undone(1);
    const { nodes } = await expand(`{"experiment_id":"${id}","path":[],"epoch":1,"generation":0}`);
    expect(nodes).toHaveLength(3);
    expect(nodes![2]).toStrictEqual({ experiment_id: id, path: [{ factor: 3, offset: 2 }], epoch: 1, generation: 0 });
  });
});

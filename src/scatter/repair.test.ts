import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { defineExperiment } from "../experiment/define.ts";
import { RunLayout } from "../run/layout.ts";
import { localStorage } from "../storage/local/local.ts";
import { listAll } from "../storage/storage.ts";
import { BatchBuilder } from "../table/batch.ts";
import { parquetBytes } from "../table/write-parquet.ts";
import { sideTablesMetadata } from "./gather/side-tables.ts";
import { listParts } from "./plan.ts";
import { removeDamagedParts } from "./repair.ts";
import { type NodeTask, RunFindings, type RunInfo, type TreeSettings } from "./run-task.ts";

const root = mkdtempSync(join(tmpdir(), "scythe-repair-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => void vi.restoreAllMocks());

const layout = new RunLayout({ name: "study", version: "v1.0.0", timestamp: "2026-01-02_03-04-05" });
const storage = localStorage(root);
const experiment = defineExperiment({
  name: "study",
  input: z.object({ n: z.number() }),
  output: z.object({ m: z.number() }),
  run: ({ n }) => ({ m: n }),
});
const settings = { storage, experiment } as unknown as TreeSettings;
const task: NodeTask = { experiment_id: layout.experimentId, path: [], epoch: 1, generation: 0 };
const [WHOLE, OTHER] = [0, 10].map((from) =>
  layout.part([], { generation: 0, from, to: from + 10, ok: 10, failed: 0 }),
);
const part = () => parquetBytes(new BatchBuilder([]).take(), sideTablesMetadata("attempt", []));

const removed = async (run: RunInfo) =>
  removeDamagedParts(settings, run, task, await listParts(storage, layout, [], 0));

describe("damaged parts", () => {
  it("are removed and named, three times; then the disk is, until the run is resumed", async () => {
    const warnings: string[] = [];
    vi.spyOn(process, "emitWarning").mockImplementation((text) => void warnings.push(String(text)));
    const run = { layout, findings: new RunFindings() } as unknown as RunInfo;
    await storage.put(WHOLE!, part());
    const round = async () => {
      await storage.put(OTHER!, part());
      expect(await removed(run)).toBe(false);
      writeFileSync(storage.localPath!(OTHER!), part().subarray(0, -1));
      return removed(run);
    };
    for (let times = 1; times <= 3; times++) {
      expect(await round()).toBe(true);
      expect((await listAll(storage, layout.parts([]))).map(({ key }) => key)).toEqual([WHOLE]);
      expect(warnings).toHaveLength(times);
      expect(warnings.at(-1)).toContain(`${storage.uriOf(OTHER!)} is damaged or missing; its specs are run again`);
    }
    await expect(round()).rejects.toMatchObject({
      code: "storage",
      message: expect.stringContaining("is damaged, after it was made again 3 times"),
      details: { keys: [OTHER] },
    });
    expect(await round()).toBe(true);
  });
});

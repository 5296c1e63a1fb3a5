import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineExperiment, openProject } from "scythe-ts";
import { afterAll, expect, it } from "vitest";
import { z } from "zod";

const folder = mkdtempSync(join(tmpdir(), "scythe-run-time-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const doubled = defineExperiment({
  name: "doubled",
  input: z.object({ n: z.number() }),
  output: z.object({ m: z.number() }),
  run: ({ n }) => ({ m: 2 * n }),
});

it("a report's time is that for which drivers drove the run, not that which passed", async () => {
  await using scythe = await openProject({ experiments: [doubled] }, { storage: join(folder, "data") });
  const run = await scythe.allocate(
    doubled,
    Array.from({ length: 5 }, (_, n) => ({ n })),
  );
  await run.cancel();
  // as if its first driver had gone on for a day, and long ago
  const day = { beat: 17_280, at: "2020-01-02T00:00:00Z", generation: 0, driven: 86_400 };
  await scythe.storage.put(`${run.experimentId}/scatter-gather/control/e000001-driver.json`, JSON.stringify(day));
  await run.resume();
  const { report } = await run.result();
  expect(report!.succeeded).toBe(5);
  expect(report!.seconds).toBeGreaterThan(86_400);
  expect(report!.seconds).toBeLessThan(86_400 + 600);
});

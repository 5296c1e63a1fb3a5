import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineExperiment, openProject, table } from "scythe-ts";
import { afterAll, expect, it } from "vitest";
import { z } from "zod";

const storage = mkdtempSync(join(tmpdir(), "scythe-sample-test-"));
afterAll(() => rmSync(storage, { recursive: true, force: true }));

let again = false;

/** Each spec but the first gives something else when it runs again. */
const changing = defineExperiment({
  name: "changing",
  input: z.object({ n: z.number().int() }),
  output: z.object({ value: z.number() }),
  tables: { steps: table(z.object({ step: z.number().int(), kind: z.string() }), { index: ["step"] }) },
  retries: 0,
  run({ n }) {
    if (n === 1 && again) throw new Error("not again");
    if (n === 2 && !again) throw new Error("not at first");
    if (n === 5) throw again ? new RangeError("too far") : new TypeError("not so");
    const rows = n === 3 && again ? 3 : n === 6 && again ? 1 : 2;
    const kind = (step: number) => (n === 4 && step === 1 && again ? "other" : "usual");
    return {
      value: n,
      tables: { steps: Array.from({ length: rows }, (_, step) => ({ step, kind: kind(step) })) },
    };
  },
});

it("a sample is compared by its outcomes, and by the values and the number of the rows of its own tables", async () => {
  await using scythe = await openProject({ experiments: [changing] }, { storage, engine: "inline" });
  const specs = Array.from({ length: 7 }, (_, n) => ({ n }));
  const run = await scythe.allocate(changing, specs);
  await run.result();
  const same = await scythe.audit.verify(run.experimentId, { sample: 7 });
  expect(same.sample).toMatchObject({ same: 7, different: 0, differences: [] });
  again = true;
  const { result, sample } = await scythe.audit.verify(run.experimentId, { sample: 7 });
  expect(result).toBe("failed");
  expect(sample).toMatchObject({ same: 1, different: 6 });
  const found = sample!.differences.map((difference) => Object.values(difference));
  expect(sample!.differences.map((difference) => Object.keys(difference))[0]).toEqual([
    ...["sort_index", "table", "sort_subindex", "column", "stored", "again"],
  ]);
  expect(found).toEqual([
    [1, "scalars", null, "(outcome)", "succeeded", "failed: error (Error): not again"],
    [2, "scalars", null, "(outcome)", "failed: error (Error)", "succeeded"],
    [2, "steps", null, "(rows)", "0", "2"],
    [3, "steps", null, "(rows)", "2", "3"],
    [4, "steps", 1, "kind", "usual", "other"],
    [5, "scalars", null, "(outcome)", "failed: error (TypeError)", "failed: error (RangeError): too far"],
    [6, "steps", null, "(rows)", "2", "1"],
  ]);
});

it("a sample is drawn of what comes again: a timeout depends on the machine", async () => {
  const hanging = defineExperiment({
    name: "hanging",
    input: z.object({ n: z.number().int() }),
    output: z.object({ value: z.number() }),
    retries: 0,
    executionTimeout: "2s",
    async run({ n }, { signal }) {
      if (n === 1) throw new Error("each time");
      if (n === 2) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      return { value: n };
    },
  });
  await using scythe = await openProject({ experiments: [hanging] }, { storage, engine: "inline" });
  const run = await scythe.allocate(hanging, [{ n: 0 }, { n: 1 }, { n: 2 }]);
  expect((await run.result()).report).toMatchObject({ succeeded: 1, failed: 2 });
  const { result, sample } = await scythe.audit.verify(run.experimentId, { sample: 3 });
  expect(result).toBe("verified");
  expect(sample).toMatchObject({ sort_indexes: [0, 1], same: 2, different: 0 });
});

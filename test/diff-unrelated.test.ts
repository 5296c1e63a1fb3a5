import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineExperiment, openProject } from "scythe-ts";
import { expect, it } from "vitest";
import { z } from "zod";

const output = z.object({ y: z.number() });
const one = defineExperiment({ name: "one", input: z.object({ a: z.number() }), output, run: ({ a }) => ({ y: a }) });
const two = defineExperiment({ name: "two", input: z.object({ b: z.number() }), output, run: ({ b }) => ({ y: b }) });

it("refuses to match specs of runs that have no input in common, and says what to do", async () => {
  const storage = mkdtempSync(join(tmpdir(), "scythe-unrelated-"));
  try {
    await using scythe = await openProject({ experiments: [one, two], storage });
    await (await scythe.allocate(one, [{ a: 1 }, { a: 2 }])).result();
    await (await scythe.allocate(two, [{ b: 1 }, { b: 2 }])).result();
    await expect(scythe.audit.diff("one", "two")).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining("no input field in common (a: a; b: b)"),
      hint: expect.stringContaining("--by sort_index"),
    });
    expect((await scythe.audit.diff("one", "two", { by: "sort_index" })).specs.matched).toBe(2);
  } finally {
    rmSync(storage, { recursive: true, force: true });
  }
});

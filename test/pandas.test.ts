import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineExperiment, openProject, table } from "scythe-ts";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { findPython } from "./python.ts";

const python = findPython("pandas", "pyarrow");
if (!python) console.warn("SKIPPED: pandas tests (no Python with pandas and pyarrow; set SCYTHE_TEST_PYTHON)");

const everyType = defineExperiment({
  name: "every_type",
  input: z.object({
    whole: z.number().int(),
    real: z.number(),
    text: z.string(),
    flag: z.boolean(),
    choice: z.enum(["a", "b"]),
    when: z.date(),
    big: z.bigint(),
    maybe: z.number().optional(),
    list: z.array(z.number()),
  }),
  output: z.object({
    half: z.number(),
    never: z.string().nullable(),
    count: z.number().int(),
    at: z.date().nullable(),
    tags: z.array(z.string()),
    nested: z.object({ x: z.number().int(), y: z.array(z.number()) }),
  }),
  tables: { steps: table(z.object({ step: z.number().int(), v: z.number().nullable() }), { index: ["step"] }) },
  computedFeatures: ({ whole }) => ({ parity: whole % 2 ? "odd" : "even", tenth: whole / 10 }),
  run: ({ whole, real, when }) => {
    if (whole === 3) throw new Error("three");
    const steps = Array.from({ length: whole % 3 }, (_, step) => ({ step, v: step ? step / 3 : null }));
    const at = whole ? when : null;
    return {
      half: real / 2,
      never: null,
      count: whole,
      at,
      tags: ["é", "😀"],
      nested: { x: whole, y: [] },
      tables: { steps },
    };
  },
});

describe.skipIf(!python)("pandas.read_parquet", () => {
  const storage = mkdtempSync(join(tmpdir(), "scythe-pandas-"));
  afterAll(() => rmSync(storage, { recursive: true, force: true }));

  it("sees the MultiIndex, the types and the values", async () => {
    await using scythe = await openProject({ experiments: [everyType], storage });
    const specs = Array.from({ length: 8 }, (_, whole) => ({
      whole,
      real: whole + 0.5,
      text: `t${whole}`,
      flag: whole % 2 === 0,
      choice: "a" as const,
      list: [1, 2],
      when: new Date(Date.UTC(2024, 0, 1 + whole, 0, 0, 0, 123)),
      big: 2n ** 62n + BigInt(whole),
      ...(whole % 2 ? { maybe: whole } : {}),
    }));
    const results = await (await scythe.allocate(everyType, specs, { seed: 7 })).result();
    const files = await results.listResultsFiles();
    const folder = fileURLToPath(files.scalars!).replace(/scalars\.pq$/, "");
    const script = fileURLToPath(new URL("./pandas_check.py", import.meta.url));
    const seen = JSON.parse(execFileSync(python!, [script, folder], { encoding: "utf8" }));
    const index = ["experiment_id", "sort_index", "workflow_run_id", "root_workflow_run_id"];
    const fields = ["whole", "real", "text", "flag", "choice", "when", "big", "maybe", "parity", "tenth"];
    expect(seen.scalars.index).toEqual([...index, ...fields]);
    expect(seen.scalars.columns).toEqual(["half", "never", "count", "at", "tags", "nested"]);
    expect(seen.scalars.rows).toBe(7);
    expect(seen.scalars.sort_index).toEqual([0, 1, 2, 4, 5, 6, 7]);
    expect(seen.scalars.index_types).toMatchObject({
      sort_index: "int64",
      whole: "int64",
      real: "float64",
      flag: "bool",
    });
    expect(seen.scalars.index_types.when).toMatch(/datetime64\[.s, UTC\]/);
    expect(seen.scalars.dtypes).toMatchObject({ half: "float64", count: "int64", never: "object" });
    expect(seen.scalars.big).toEqual([0, 1, 2, 4, 5, 6, 7].map((n) => String(2n ** 62n + BigInt(n))));
    expect(seen.scalars.when0).toBe("2024-01-01T00:00:00.123000+00:00");
    expect(seen.scalars.tags0).toEqual(["é", "😀"]);
    expect(seen.scalars.nested0).toEqual({ x: 0, y: [] });
    expect(seen.steps.index).toEqual([...index, ...fields, "step", "sort_subindex"]);
    expect(seen.steps.columns).toEqual(["v"]);
    expect(seen.steps.sort_index).toEqual([1, 2, 2, 4, 5, 5, 7]);
    expect(seen.errors.index).toEqual([...index, ...fields]);
    expect(seen.errors.columns).toEqual(["kind", "name", "message", "stack", "attempts", "worker", "duration"]);
    expect(seen.errors.sort_index).toEqual([3]);
    expect(seen.specs.sort_index).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

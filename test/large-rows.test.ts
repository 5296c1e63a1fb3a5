import { defineConfig, defineExperiment, openProject } from "scythe-ts";
import { expect, it } from "vitest";
import { z } from "zod";
import { memoryStorage } from "../src/storage/memory.ts";
import { collect } from "./collect.ts";

const TEXT = "x".repeat(1e6);

it.each([
  ["lists of 15 MB", z.array(z.string()), () => Array.from({ length: 15 }, () => TEXT), 6],
  ["texts of 50 MB", z.string(), () => TEXT.repeat(50), 3],
])(
  "rows of %s are merged in memory that follows one row",
  async (_, schema, make, count) => {
    const experiment = defineExperiment({
      name: "large",
      input: z.object({ n: z.int() }),
      output: z.object({ out: schema }),
      executionTimeout: "5m",
      run: () => ({ out: make() }) as never,
    });
    await using scythe = await openProject(defineConfig({ experiments: [experiment] }), { storage: memoryStorage() });
    const specs = Array.from({ length: count }, (_, n) => ({ n }));
    const results = await (await scythe.allocate(experiment, specs, { chunkSize: count })).result();
    expect(results.report).toMatchObject({ succeeded: count, failed: 0 });
    const ids = (await collect(results.rows())).map(({ n, out }) => [n, (out as string | string[]).length]);
    expect(ids).toEqual(specs.map(({ n }) => [n, make().length]));
  },
  120_000,
);

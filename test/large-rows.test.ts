import { defineConfig, defineExperiment, openProject, table } from "scythe-ts";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { memoryStorage } from "../src/storage/memory.ts";
import { collect } from "./collect.ts";

const MB = 1e6;
const TEXT = "x".repeat(MB);
/** By it, a row may have 12 MiB of text, and 4 MiB of digits in a list. */
const MERGE_MEMORY_MB = 384;
const COUNT = 3;

afterEach(() => vi.unstubAllEnvs());

/** Nothing takes more memory when merged than a list of digits. */
const KINDS: [string, z.ZodType, number, (mb: number) => unknown][] = [
  ["one text", z.string(), 12, (mb) => TEXT.repeat(mb)],
  ["lists of long texts", z.array(z.string()), 12, (mb) => Array.from({ length: mb }, () => TEXT.slice(10))],
  ["lists of digits", z.array(z.int()), 4, (mb) => Array.from({ length: (mb * MB) / 2 - 10 }, (_, i) => i % 10)],
];

function experimentOf(schema: z.ZodType, make: (mb: number) => unknown) {
  let failing = true;
  const experiment = defineExperiment({
    name: "large",
    input: z.object({ n: z.int(), mb: z.int(), fails: z.boolean().default(false) }),
    output: z.object({ out: schema }),
    executionTimeout: "5m",
    retries: 0,
    run: ({ mb, fails }) => {
      if (fails && failing) throw new Error("not yet");
      return { out: make(mb) } as never;
    },
  });
  const mend = () => {
    failing = false;
  };
  return { experiment, mend };
}

const sizeOf = (out: unknown) => JSON.stringify(out).length;

describe.each(KINDS)("rows of %s", (_what, schema, most, make) => {
  it.each([
    ["a flat run", { chunkSize: COUNT }],
    ["a tree", { chunkSize: 1, recursion: { factor: 2, maxDepth: 1 } }],
  ])(
    "just below what merging has memory for are merged in %s and when retried; one above is refused",
    async (_shape, options) => {
      vi.stubEnv("SCYTHE_WORKER_MERGE_MEMORY_MB", `${MERGE_MEMORY_MB}`);
      const { experiment, mend } = experimentOf(schema, make);
      await using scythe = await openProject(defineConfig({ experiments: [experiment] }), { storage: memoryStorage() });
      const specs = Array.from({ length: COUNT }, (_, n) => ({ n, mb: most, fails: n === 1 }));
      const run = await scythe.allocate(experiment, [...specs, { n: COUNT, mb: most + 1 }], options);
      const { report } = await run.result();
      expect(report).toMatchObject({ succeeded: COUNT - 1, failed: 2 });
      mend();
      const results = await (await scythe.retry(run.experimentId))!.result();
      expect(results.report).toMatchObject({ succeeded: COUNT, failed: 1 });
      const found = (await collect(results.rows())).map((row) => [row.n, sizeOf(row.out)]);
      expect(found).toEqual(specs.map(({ n, mb }) => [n, sizeOf(make(mb))]));
      const [error] = await collect(results.errors());
      expect(error).toMatchObject({ n: COUNT, kind: "output_too_large" });
      expect(error!.message).toMatch(/a row of more than 12.6 MB.*fileRef\(\).*SCYTHE_WORKER_MERGE_MEMORY_MB/);
    },
    120_000,
  );
});

it("many rows of a table are no large row, and come in order", async () => {
  vi.stubEnv("SCYTHE_WORKER_MERGE_MEMORY_MB", `${MERGE_MEMORY_MB}`);
  const experiment = defineExperiment({
    name: "large",
    input: z.object({ n: z.int() }),
    output: z.object({ m: z.int() }),
    tables: {
      steps: table(z.object({ at: z.int(), text: z.string(), filename: z.string(), file_row_number: z.int() }), {
        index: ["at"],
      }),
    },
    run: ({ n }) => ({
      m: n,
      tables: {
        steps: Array.from({ length: 10 }, (_, at) => ({ at, text: TEXT, filename: "x", file_row_number: at })),
      },
    }),
  });
  await using scythe = await openProject(defineConfig({ experiments: [experiment] }), { storage: memoryStorage() });
  const options = { chunkSize: 1, recursion: { factor: 2, maxDepth: 1 } };
  const results = await (await scythe.allocate(experiment, [{ n: 0 }, { n: 1 }, { n: 2 }], options)).result();
  expect(results.report).toMatchObject({ succeeded: 3, failed: 0 });
  const rows = (await collect(results.table("steps"))).map((row) => [row.n, row.at, (row.text as string).length]);
  expect(rows).toEqual([0, 1, 2].flatMap((n) => Array.from({ length: 10 }, (_, at) => [n, at, MB])));
}, 120_000);

import { defineConfig, defineExperiment, openProject } from "scythe-ts";
import { expect, it } from "vitest";
import { z } from "zod";
import { memoryStorage } from "../src/storage/memory.ts";
import { collect } from "./collect.ts";

const open = (experiment: Parameters<typeof defineConfig>[0]["experiments"][number]) =>
  openProject(defineConfig({ experiments: [experiment] }), { storage: memoryStorage() });

it("a feature that no table can hold costs its spec alone, and all others are held", async () => {
  const features: Record<string, unknown>[] = [
    { size: 2 ** 63, huge: 2 ** 63 },
    { size: -0 },
    { Size: 3 },
    { "*": 1, "**": 2 },
    { y: 5 },
    { size: "\ud800" },
    { size: -(2 ** 63) },
  ];
  const experiment = defineExperiment({
    name: "odd",
    input: z.object({ n: z.int() }),
    output: z.object({ y: z.number() }),
    computedFeatures: ({ n }) => features[n] as Record<string, number>,
    run: ({ n }) => ({ y: n }),
  });
  await using scythe = await open(experiment);
  const results = await (
    await scythe.allocate(
      experiment,
      features.map((_, n) => ({ n })),
    )
  ).result();
  const rows = (await collect(results.rows())) as unknown as Record<string, unknown>[];
  const sizes = [2 ** 63, -0, 3, null, -(2 ** 63)]; // of one column, whose name is the first in the alphabet
  expect(rows.map(({ n, y, Size }) => [n, y, Size])).toEqual([0, 1, 2, 3, 6].map((n, i) => [n, n, sizes[i]]));
  expect(rows[3]).toMatchObject({ "*": 1, "**": 2 });
  const errors = await collect(results.errors());
  expect(errors.map(({ sort_index, kind }) => [sort_index, kind])).toEqual([
    [4, "invalid_output"],
    [5, "invalid_output"],
  ]);
  const sql = "SELECT count(size) AS n, max(huge) AS huge FROM scalars"; // the one has fractions, the other has none
  expect(await results.query(sql)).toEqual([{ n: 4, huge: 2 ** 63 }]);
});

it("extra fields may have names that every object has, and any text but a quote or slash in them", async () => {
  const experiment = defineExperiment({
    name: "loose",
    input: z.looseObject({ n: z.int() }),
    output: z.object({ y: z.number() }),
    run: ({ n }) => ({ y: n }),
  });
  await using scythe = await open(experiment);
  const specs: object[] = [
    { n: 0, constructor: "Frank", "*": 1, x: -0 },
    { n: 1 },
    { n: 2, toString: 5, valueOf: true },
  ];
  const results = await (await scythe.allocate(experiment, specs as never)).result();
  const sql = `SELECT n, "constructor" AS c, "*" AS s, tostring AS t, valueof AS v, x FROM scalars ORDER BY n`;
  expect(await results.query(sql)).toEqual([
    { n: 0, c: "Frank", s: 1, t: null, v: null, x: -0 },
    { n: 1, c: null, s: null, t: null, v: null, x: null },
    { n: 2, c: null, s: null, t: 5, v: true, x: null },
  ]);
  const proto = JSON.parse('[{"n": 0, "__proto__": 1}]');
  await expect(scythe.allocate(experiment, proto)).rejects.toThrow(/__proto__ = .*: cannot be a field's name/);
});

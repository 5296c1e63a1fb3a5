import fc from "fast-check";
import { defineConfig, defineExperiment, openProject, table } from "scythe-ts";
import { expect, it } from "vitest";
import { z } from "zod";
import { memoryStorage } from "../src/storage/memory.ts";
import { anySample, type Sample } from "./arbitrary-schemas.ts";
import { collect } from "./collect.ts";
import { FULL } from "./faults/seed.ts";

const FEATURE_NAMES = ["*", "a.b", "$", "0", "[1]", "~", "#-1", "size", "Size", "it's", "constructor", "toString", "é"];
const features = fc.dictionary(
  fc.oneof(fc.constantFrom(...FEATURE_NAMES), fc.constantFrom("out", "Cell", "n", "\ud800", "__x", "", "sort_index")),
  fc.oneof(
    fc.constantFrom(2 ** 63, -(2 ** 63), 2 ** 64, 2 ** 53, -0, 1e21, true, "", "a\0b", "it's", "null"),
    fc.constantFrom<unknown>("\ud800", Number.NaN, new Date(0), null, undefined, [1], { a: 1 }),
    ...[fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string({ unit: "grapheme" })],
  ),
  { maxKeys: 3, noNullPrototype: true },
);

interface Given {
  kind: Sample;
  values: unknown[];
  inputs: unknown[];
  features: Record<string, unknown>[];
}

const given = anySample.chain((kind) =>
  fc.record<Given>({
    kind: fc.constant(kind),
    values: fc.array(fc.oneof({ arbitrary: kind.plain, weight: 3 }, kind.odd), { minLength: 1, maxLength: 8 }),
    inputs: fc.array(kind.plain, { minLength: 1, maxLength: 4 }),
    features: fc.array(features, { minLength: 1, maxLength: 8 }),
  }),
);

/** Each value comes as an output and in a table; each input has to reach the function. */
async function runAll({ kind, values, inputs, features: computed }: Given) {
  const seen = new Map<number, unknown>();
  const experiment = defineExperiment({
    name: "held",
    input: z.object({ n: z.int(), given: kind.schema }),
    output: z.object({ out: kind.schema.nullish() }),
    tables: { cells: table(z.object({ cell: kind.schema.nullable() })) },
    computedFeatures: ({ n }) => computed[n % computed.length] as Record<string, string>,
    retries: 0,
    run({ n, given }) {
      seen.set(n, given);
      const out = values[n % values.length];
      return { out, tables: { cells: [{ cell: out }, { cell: null }] } } as never;
    },
  });
  await using scythe = await openProject(defineConfig({ experiments: [experiment] }), { storage: memoryStorage() });
  const count = Math.max(values.length, inputs.length, computed.length);
  const specs = Array.from({ length: count }, (_, n) => ({ n, given: inputs[n % inputs.length] }));
  const results = await (await scythe.allocate(experiment, specs, { chunkSize: 3 })).result();
  const rows = (await collect(results.rows())) as unknown as Record<string, unknown>[];
  const cells = (await collect(results.table("cells"))) as unknown as Record<string, unknown>[];
  const errors = (await collect(results.errors())) as unknown as Record<string, unknown>[];
  const { problems } = await scythe.audit.verify(results.experimentId);
  return { seen, rows, cells, errors, problems, count };
}

const isPlainFeature = (value: unknown) =>
  typeof value === "boolean" || (typeof value === "string" && value.isWellFormed()) || Number.isFinite(value);

it("whatever a spec may give back, the tables hold, and give back the same; the rest is that spec's error", async () => {
  await fc.assert(
    fc.asyncProperty(given, async (all) => {
      const { seen, rows, cells, errors, problems, count } = await runAll(all);
      expect(problems).toEqual([]);
      expect(rows.length + errors.length).toBe(count);
      for (const [n, value] of seen) expect(value).toEqual(all.kind.read(all.inputs[n % all.inputs.length]));
      for (const { kind, n, message } of errors) expect(kind, `${n}: ${message}`).toBe("invalid_output");
      for (const row of rows) {
        const n = row.n as number;
        const out = all.kind.read(all.values[n % all.values.length]);
        expect(row.out).toEqual(out);
        const own = cells.filter((cell) => cell.n === n).map(({ cell }) => cell);
        expect(own).toEqual([out, null]);
        for (const [name, feature] of Object.entries(all.features[n % all.features.length]!)) {
          expect(isPlainFeature(feature), `${name} = ${String(feature)}`).toBe(true);
          const column = Object.keys(row).find((other) => other.toLowerCase() === name.toLowerCase())!;
          if (typeof row[column] === typeof feature) expect(row[column]).toEqual(feature);
          else expect(row[column]).toBeTypeOf("string"); // specs give it other types: text holds them all
        }
      }
    }),
    { numRuns: FULL ? 40 : 15 },
  );
}, 240_000);

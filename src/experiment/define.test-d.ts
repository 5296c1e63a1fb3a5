import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";
import type { Scythe } from "../project.ts";
import type { Results } from "../results/results.ts";
import type { ErrorRow, ScalarRow, TableRow } from "../results/rows.ts";
import { fileRef } from "../schema/file-ref.ts";
import type { Context } from "./context.ts";
import { defineExperiment, table } from "./define.ts";

const input = z.object({
  r_value: z.number(),
  kind: z.enum(["a", "b"]),
  count: z.int().default(3),
  note: z.string().optional(),
  when: z.date(),
  layers: z.array(z.number()),
  wall: z.object({ u: z.number() }),
  weather: fileRef(),
});
const output = z.object({ heating: z.number(), cooling: z.number().nullable(), csv: fileRef() });

const plain = defineExperiment({
  name: "plain",
  input,
  output,
  run: () => ({ heating: 1, cooling: null, csv: "a.csv" }),
});
const withTables = defineExperiment({
  name: "with_tables",
  input,
  output: z.object({ y: z.number() }),
  tables: {
    monthly: table(z.object({ month: z.int(), heat: z.number(), tags: z.array(z.string()).default([]) }), {
      index: ["month"],
    }),
  },
  run: async () => ({ y: 1, tables: { monthly: [{ month: 1, heat: 2 }] } }),
});
declare const scythe: Scythe;

describe("run", () => {
  it("is given the schema's output and a context", () => {
    defineExperiment({
      name: "typed",
      input,
      output: z.object({}),
      run(spec, context) {
        expectTypeOf(spec.r_value).toEqualTypeOf<number>();
        expectTypeOf(spec.kind).toEqualTypeOf<"a" | "b">();
        expectTypeOf(spec.count).toEqualTypeOf<number>();
        expectTypeOf(spec.note).toEqualTypeOf<string | undefined>();
        expectTypeOf(spec.wall).toEqualTypeOf<{ u: number }>();
        expectTypeOf(spec.weather).toEqualTypeOf<string>();
        expectTypeOf(context).toEqualTypeOf<Context>();
        // @ts-expect-error: not a field
        spec.unknown;
        return {};
      },
    });
  });

  it("gives the outputs, at once or as a promise", () => {
    const shape = { name: "x", input: z.object({}), output: z.object({ y: z.number(), z: z.string().optional() }) };
    defineExperiment({ ...shape, run: () => ({ y: 1 }) });
    defineExperiment({ ...shape, run: async () => ({ y: 1, z: "x" }) });
    // @ts-expect-error: y is missing
    defineExperiment({ ...shape, run: () => ({}) });
    // @ts-expect-error: y is a number
    defineExperiment({ ...shape, run: () => ({ y: "1" }) });
    // @ts-expect-error: nothing is given back
    defineExperiment({ ...shape, run: () => undefined });
    // @ts-expect-error: y is a number, also in a promise
    defineExperiment({ ...shape, run: async () => ({ y: "1" }) });
  });

  it("gives rows of the tables that are declared, and only then", () => {
    const shape = { name: "x", input: z.object({}), output: z.object({ y: z.number() }) };
    const tables = { monthly: table(z.object({ month: z.int() })), hourly: table(z.object({ hour: z.int() })) };
    const months = [{ month: 1 }];
    defineExperiment({ ...shape, tables, run: () => ({ y: 1, tables: { monthly: months, hourly: [] } }) });
    // @ts-expect-error: tables are missing
    defineExperiment({ ...shape, tables, run: () => ({ y: 1 }) });
    // @ts-expect-error: one table is missing
    defineExperiment({ ...shape, tables, run: () => ({ y: 1, tables: { monthly: months } }) });
    // @ts-expect-error: rows of another table
    defineExperiment({ ...shape, tables, run: () => ({ y: 1, tables: { monthly: [], hourly: months } }) });
    defineExperiment({ ...shape, run: () => ({ y: 1 }) });
    expectTypeOf(plain.run).returns.resolves.toEqualTypeOf<z.input<typeof output>>();
  });

  it("may be indexed by a table's own columns only", () => {
    table(z.object({ month: z.int() }), { index: ["month"] });
    // @ts-expect-error: not a column
    table(z.object({ month: z.int() }), { index: ["year"] });
  });

  it("has features that are plain values of the input", () => {
    const shape = { name: "x", input: z.object({ a: z.number() }), output: z.object({}), run: () => ({}) };
    defineExperiment({ ...shape, computedFeatures: ({ a }) => ({ double: a * 2, even: a % 2 === 0, text: `${a}` }) });
    // @ts-expect-error: a list is no feature
    defineExperiment({ ...shape, computedFeatures: ({ a }) => ({ list: [a] }) });
  });
});

describe("allocate", () => {
  const spec = { r_value: 1, kind: "a" as const, when: new Date(), layers: [1], wall: { u: 1 }, weather: "a.epw" };

  it("takes the schema's input, in whatever holds it", () => {
    void (async () => {
      await scythe.allocate(plain, [spec, { ...spec, count: 2, note: "x" }]);
      await scythe.allocate(plain, new Set([spec]));
      await scythe.allocate(
        plain,
        (async function* () {
          yield spec;
        })(),
      );
      await scythe.allocate(plain, spec);
      await scythe.allocate(plain, "specs.csv");
      await scythe.allocate("by name", [{ anything: 1 }]);
      // @ts-expect-error: a number is no choice
      await scythe.allocate(plain, [{ ...spec, kind: 3 }]);
      // @ts-expect-error: another choice
      await scythe.allocate(plain, [{ ...spec, kind: "c" }]);
      // @ts-expect-error: fields are missing
      await scythe.allocate(plain, [{ r_value: 1 }]);
      // @ts-expect-error: a number is no spec
      await scythe.allocate(plain, [3]);
    });
  });

  it("gives a run whose results are typed", () => {
    void (async () => {
      const run = await scythe.allocate(plain, [spec]);
      expectTypeOf(await run.result()).toEqualTypeOf<Results<typeof plain>>();
      for await (const row of (await run.result()).rows()) expectTypeOf(row).toEqualTypeOf<ScalarRow<typeof plain>>();
    });
  });
});

describe("rows", () => {
  it("have ids, plain inputs and outputs; no lists and no objects of the input", () => {
    type Row = ScalarRow<typeof plain>;
    expectTypeOf<keyof Row>().toEqualTypeOf<
      | ("experiment_id" | "sort_index" | "workflow_run_id" | "root_workflow_run_id")
      | ("r_value" | "kind" | "count" | "note" | "when" | "weather")
      | ("heating" | "cooling" | "csv")
    >();
    expectTypeOf<Row["kind"]>().toEqualTypeOf<"a" | "b">();
    expectTypeOf<Row["count"]>().toEqualTypeOf<number>();
    expectTypeOf<Row["when"]>().toEqualTypeOf<Date>();
    expectTypeOf<Row["cooling"]>().toEqualTypeOf<number | null>();
    expectTypeOf<Row["csv"]>().toEqualTypeOf<string>();
    expectTypeOf<Row["sort_index"]>().toEqualTypeOf<number>();
  });

  it("of a table have its columns, and which row of the spec it is", () => {
    type Row = TableRow<typeof withTables, "monthly">;
    expectTypeOf<Row["sort_subindex"]>().toEqualTypeOf<number>();
    expectTypeOf<Row["month"]>().toEqualTypeOf<number>();
    expectTypeOf<Row["tags"]>().toEqualTypeOf<string[]>();
    expectTypeOf<Row["r_value"]>().toEqualTypeOf<number>();
    expectTypeOf<Row>().not.toHaveProperty("y");
    expectTypeOf<Row>().not.toHaveProperty("layers");
    expectTypeOf<Parameters<Results<typeof withTables>["table"]>[0]>().toEqualTypeOf<"monthly">();
  });

  it("have the computed features", () => {
    const featured = defineExperiment({
      name: "featured",
      input: z.object({ depth: z.number() }),
      output: z.object({ y: z.number() }),
      tables: { steps: table(z.object({ step: z.int() })) },
      computedFeatures: ({ depth }) => ({ is_deep: depth > 3, zone: `z${depth}` }),
      run: ({ depth }) => ({ y: depth, tables: { steps: [] } }),
    });
    type Row = ScalarRow<typeof featured>;
    expectTypeOf<Row["is_deep"]>().toEqualTypeOf<boolean>();
    expectTypeOf<Row["zone"]>().toEqualTypeOf<string>();
    expectTypeOf<Row>().not.toHaveProperty("deep");
    expectTypeOf<TableRow<typeof featured, "steps">["is_deep"]>().toEqualTypeOf<boolean>();
    expectTypeOf<ErrorRow<typeof featured>["zone"]>().toEqualTypeOf<string | undefined>();
  });

  it("of errors say what went wrong", () => {
    type Row = ErrorRow<typeof plain>;
    expectTypeOf<Row["message"]>().toEqualTypeOf<string>();
    expectTypeOf<Row["stack"]>().toEqualTypeOf<string | null>();
    expectTypeOf<Row["r_value"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Row>().not.toHaveProperty("heating");
  });
});

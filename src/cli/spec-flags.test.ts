import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineExperiment, fileRef } from "../index.ts";
import { givenReader } from "../schema/spec-validator.ts";
import { gridOf, specsFromFlags, splitValues } from "./spec-flags.ts";
import { fieldsOf, fieldTable } from "./view/field-list.ts";

const input = z.object({
  speed: z.number().positive().max(300).describe("Speed [m/s]"),
  rounds: z.number().int().min(1).default(3),
  mode: z.enum(["slow", "fast"]).optional(),
  on: z.boolean().optional(),
  weights: z.array(z.number()).optional(),
  day: z.date().optional(),
  id: z.bigint().optional(),
  note: z.string().nullable().optional(),
  weather: fileRef().optional().describe("Weather file"),
});
const experiment = defineExperiment({
  name: "demo",
  input,
  output: z.object({ y: z.number() }),
  run: () => ({ y: 1 }),
});
const loose = defineExperiment({
  name: "loose",
  input: z.looseObject({ a: z.number().optional() }),
  output: z.object({ y: z.number() }),
  run: () => ({ y: 1 }),
});

/** As the schema is to see it. */
const given = (spec: unknown) => givenReader(input)(spec, []);

async function all(specs: unknown): Promise<unknown[]> {
  const list = [];
  for await (const spec of specs as AsyncIterable<unknown>) list.push(spec);
  return list;
}

describe("--set", () => {
  test("alone is one spec, its values read by the schema", () => {
    const set = ["speed=4.5", "on=yes", "weights=[1,2]", "day=2026-01-31", "id=9007199254740993", "note=1=1"];
    expect(given(specsFromFlags(experiment, { set }))).toEqual({
      speed: 4.5,
      on: true,
      weights: [1, 2],
      day: new Date("2026-01-31"),
      id: 9_007_199_254_740_993n,
      note: "1=1",
    });
  });

  test("an empty value is a missing one", () => {
    expect(given(specsFromFlags(experiment, { set: ["speed=1", "note="] }))).toEqual({ speed: 1 });
  });

  test.each([
    [["sped=1"], /no field sped\. Did you mean "speed"\?/],
    [["speed"], /needs field=value, not "speed"/],
    [["=1"], /needs field=value/],
    [["speed=1", "speed=2"], /gives speed twice/],
    [["rounds=1"], /speed is missing for demo, whose fields are/],
    [[], /No specs are given for demo/],
  ])("%j is refused", (set, message) => {
    expect(() => specsFromFlags(experiment, { set })).toThrow(message);
  });

  test("a loose schema takes any field, by its looks", () => {
    expect(specsFromFlags(loose, { set: ["b=2", "c=x"] })).toEqual({ b: 2, c: "x" });
    expect(specsFromFlags(loose, {})).toEqual({});
  });
});

describe("--grid", () => {
  test("is every combination in order, the last field fastest, over the constants", async () => {
    const specs = specsFromFlags(experiment, { grid: ["speed=1,2", "mode=slow,fast"], set: ["rounds=7"] });
    expect(await all(specs)).toEqual([
      { rounds: 7, speed: 1, mode: "slow" },
      { rounds: 7, speed: 1, mode: "fast" },
      { rounds: 7, speed: 2, mode: "slow" },
      { rounds: 7, speed: 2, mode: "fast" },
    ]);
  });

  test("a field given again has more values; a list is one value", async () => {
    const specs = specsFromFlags(experiment, { grid: ["speed=1", "speed=2,3", "weights=[1,2]", "weights=[3]"] });
    expect(await all(specs)).toHaveLength(6);
    expect((await all(specsFromFlags(experiment, { grid: ["speed=1", "weights=[1,2]"] })))[0]).toEqual({
      speed: 1,
      weights: [1, 2],
    });
  });

  test("an empty value leaves the field out", async () => {
    expect((await all(specsFromFlags(experiment, { grid: ["speed=1", "mode=,fast"] }))).map(given)).toEqual([
      { speed: 1 },
      { speed: 1, mode: "fast" },
    ]);
  });

  test("does not take a field of --set, nor a file", () => {
    expect(() => specsFromFlags(experiment, { grid: ["speed=1"], set: ["speed=1"] })).toThrow(/both --set and --grid/);
    expect(() => specsFromFlags(experiment, { specs: "a.csv", set: ["speed=1"] })).toThrow(/cannot be combined/);
    expect(specsFromFlags(experiment, { specs: "a.csv" })).toBe("a.csv");
  });

  test("quotes protect commas", () => {
    expect(splitValues('"Paris, Texas",Berlin,')).toEqual(["Paris, Texas", "Berlin", ""]);
    expect(splitValues("a,b")).toEqual(["a", "b"]);
    expect(splitValues("")).toEqual([""]);
  });

  test("a million specs are a stream", async () => {
    const axis = Array.from({ length: 1_000 }, (_, i) => i);
    const grid = gridOf(
      {},
      new Map([
        ["a", axis],
        ["b", axis],
      ]),
    );
    expect((await grid.next()).value).toEqual({ a: 0, b: 0 });
    expect((await grid.next()).value).toEqual({ a: 0, b: 1 });
    await grid.return(undefined);
  });
});

test("fields are listed with type, bounds, default and description", () => {
  const types = Object.fromEntries(fieldsOf(experiment).map(({ name, type, required }) => [name, [type, required]]));
  expect(types).toEqual({
    speed: ["number > 0, ≤ 300", true],
    rounds: ["whole number ≥ 1", false],
    mode: ["slow | fast", false],
    on: ["true | false", false],
    weights: ["list of number", false],
    day: ["date and time", false],
    id: ["whole number", false],
    note: ["text | null", false],
    weather: ["file", false],
  });
  const table = fieldTable(fieldsOf(experiment));
  expect(table).toMatch(/speed .*required +Speed \[m\/s\]/);
  expect(table).toMatch(/rounds .*default 3/);
});

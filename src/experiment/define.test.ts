import { describe, expect, it } from "vitest";
import { z } from "zod";
import { bytesText } from "../bytes-text.ts";
import { didYouMean } from "../known-keys.ts";
import { fileRef } from "../schema/file-ref.ts";
import { defineExperiment, type Tables, table } from "./define.ts";
import { parseBytes, parseDuration } from "./quantities.ts";
import { Registry } from "./registry.ts";

type Shape = Record<string, z.ZodType>;
const define = (
  parts: { input?: Shape; output?: Shape; tables?: Tables; name?: unknown; [more: string]: unknown } = {},
) =>
  defineExperiment({
    ...parts,
    name: (parts.name ?? "study") as string,
    input: z.object(parts.input ?? { x: z.number() }),
    output: z.object(parts.output ?? { y: z.number() }),
    tables: parts.tables ?? {},
    run: (parts.run ?? (() => ({}))) as never,
  } as never);

describe("defineExperiment", () => {
  it("fills in what was left out", () => {
    expect(define()).toMatchObject({
      name: "study",
      description: "",
      retries: 1,
      executionTimeoutMs: undefined,
      scheduleTimeoutMs: undefined,
      requires: [],
      tables: {},
    });
    const full = define({ retries: 0, executionTimeout: "90s", scheduleTimeout: 5_000, requires: ["has_gpu"] });
    expect(full).toMatchObject({
      retries: 0,
      executionTimeoutMs: 90_000,
      scheduleTimeoutMs: 5_000,
      requires: ["has_gpu"],
    });
  });

  it("sorts the columns into input, scalars, files and tables", () => {
    const { columns } = define({
      input: { a: z.number(), file: fileRef() },
      output: { y: z.number(), csv: fileRef(), many: z.array(fileRef()) },
      tables: { monthly: table(z.object({ month: z.int(), heat: z.number() }), { index: ["month"] }) },
    });
    const names = (own: { name: string }[]) => own.map(({ name }) => name);
    expect(names(columns.input)).toEqual(["a", "file"]);
    expect(names(columns.scalars)).toEqual(["y"]);
    expect(names(columns.files)).toEqual(["csv", "many"]);
    expect(names(columns.tables.monthly!)).toEqual(["month", "heat"]);
  });

  it("refuses unknown fields of what says nothing of them, and lets the loose be loose", () => {
    const make = (input: z.ZodObject) =>
      defineExperiment({ name: "study", input, output: z.object({}), run: () => ({}) }).input;
    const spec = { x: 1, extra: 2 };
    expect(make(z.object({ x: z.number() })).safeParse(spec).success).toBe(false);
    expect(make(z.strictObject({ x: z.number() })).safeParse(spec).success).toBe(false);
    expect(make(z.looseObject({ x: z.number() })).parse(spec)).toEqual(spec);
    expect(make(z.object({ x: z.number() }).catchall(z.number())).parse(spec)).toEqual(spec);
    const refined = z.object({ x: z.number() }).refine(({ x }) => x > 0, "x must be above 0");
    expect(make(refined).safeParse({ x: -1 }).error?.issues[0]?.message).toBe("x must be above 0");
  });

  it("keeps `this` of the definition, and cannot be changed afterwards", async () => {
    const own = { name: "study", input: z.object({}), output: z.object({ y: z.number() }), retries: 3 };
    const experiment = defineExperiment({
      ...own,
      run() {
        return { y: (this as unknown as typeof own).retries };
      },
    });
    expect(await experiment.run({}, {} as never)).toEqual({ y: 3 });
    expect(() => Object.assign(experiment, { name: "other" })).toThrow(TypeError);
  });

  it.each(["", "a b", "a/b", "../a", ".a", "-a", "ä", "x".repeat(129), 3, null])("refuses %j as a name", (name) => {
    const call = () => defineExperiment({ name, input: z.object({}), output: z.object({}), run: () => ({}) } as never);
    expect(call).toThrow(expect.objectContaining({ code: "invalid_definition", hint: expect.any(String) }));
    expect(call).toThrow(JSON.stringify(name));
  });

  it("takes names that are safe as a folder, in a URL and in SQL", () => {
    for (const name of ["a", "9lives", "building_energy-v2.1", "x".repeat(128)])
      expect(define({ name }).name).toBe(name);
  });
});

const rows = (shape: Shape, index: string[] = []) => table(z.object(shape), { index } as never);
const n = z.number();
const REFUSED: Record<string, [Parameters<typeof define>[0], string]> = {
  "reserved input": [{ input: { sort_index: n } }, "input.sort_index is a reserved column"],
  "reserved input, in other case": [{ input: { Sort_Index: n } }, "input.Sort_Index is a reserved column"],
  "reserved output": [{ output: { experiment_id: z.string() } }, "output.experiment_id is a reserved column"],
  "reserved table column": [{ tables: { t: rows({ sort_subindex: n }) } }, "tables.t.sort_subindex is a reserved"],
  "a name of Scythe's own": [{ input: { __features: n } }, "names that start with __ are reserved"],
  "an empty name": [{ input: { "": n } }, "cannot be a column's name"],
  "a slash in a name": [{ output: { "a/b": n } }, "cannot be a column's name"],
  "inputs that differ in case": [{ input: { a: n, A: n } }, "a and A differ only in case"],
  "an output that is an input": [{ input: { x: n }, output: { x: n } }, "output.x is also an input field"],
  "an output that is an input in other case": [
    { input: { x: n }, output: { X: n } },
    "output.X is also an input field",
  ],
  "a table column that is an input": [{ tables: { t: rows({ X: n }) } }, "tables.t.X is also an input field"],
  "output named tables": [{ output: { tables: n } }, "output.tables is reserved"],
  "output file named tables": [{ output: { tables: fileRef() } }, "output.tables is reserved"],
  "a table with a reserved name": [{ tables: { scalars: rows({ a: n }) } }, "tables.scalars has the name of a table"],
  "the same in other case": [{ tables: { Errors: rows({ a: n }) } }, "tables.Errors has the name of a table"],
  "tables that differ in case": [{ tables: { a: rows({ b: n }), A: rows({ b: n }) } }, "differ only in case"],
  "a table that is no file name": [{ tables: { "a b": rows({ a: n }) } }, "tables.a b: not a file name"],
  "a file in a table": [{ tables: { t: rows({ a: fileRef() }) } }, "files belong in the output"],
  "an index that is no column": [{ tables: { t: rows({ a: n }, ["b"]) } }, "index column b is not a column"],
  "an index of lists": [
    { tables: { t: rows({ a: z.array(n) }, ["a"]) } },
    "index column a must have one scalar value per row",
  ],
  "a file field that is no folder name": [{ input: { "my file": fileRef() } }, "a file field's name becomes a folder"],
  "an input that Parquet cannot hold": [{ input: { a: z.map(n, n) } }, "study.input.a: Parquet cannot hold map"],
  "an output that changes when parsed again": [{ output: { a: z.string().transform(Number) } }, "study.output.a"],
  "a table that does": [{ tables: { t: rows({ a: n.transform(String) }) } }, "study.tables.t.a"],
  "retries below 0": [{ retries: -1 }, "retries must be a whole number from 0 to 100"],
  "retries in pieces": [{ retries: 1.5 }, "retries must be a whole number"],
  "retries of a kind that is none": [{ retry: { explosion: 1 } }, "retry.explosion is not a kind of failure"],
  "retries of a kind below 0": [{ retry: { timeout: -1 } }, "retry.timeout must be a whole number from 0 to 100"],
  "a memory limit that is none": [{ memoryLimit: "much" }, 'memoryLimit: "much" is not a size'],
  "a memory limit of 0": [{ memoryLimit: 0 }, "memoryLimit: 0 is not a size"],
  "an output of no size": [{ maxOutputSize: "" }, 'maxOutputSize: "" is not a size'],
  "a timeout that is none": [{ executionTimeout: "soon" }, 'executionTimeout: "soon" is not a duration'],
  "an empty timeout": [{ executionTimeout: "" }, 'executionTimeout: "" is not a duration'],
  "a timeout of 0": [{ scheduleTimeout: 0 }, "scheduleTimeout: 0 is not a duration"],
  "a timeout that no timer holds": [{ executionTimeout: "30d" }, '"30d" is too long for a timer'],
  "run that is no function": [{ run: "run" }, "run must be a function"],
};

describe("no experiment has", () => {
  it.each(Object.entries(REFUSED))("%s", (_, [parts, message]) => {
    expect(() => define(parts)).toThrow(expect.objectContaining({ code: "invalid_definition" }));
    expect(() => define(parts)).toThrow(message);
  });

  it("a schema that is not an object's", () => {
    for (const input of [z.string(), z.object({}).transform((v) => v), {}, undefined]) {
      const call = () => defineExperiment({ name: "study", input, output: z.object({}), run: () => ({}) } as never);
      expect(call).toThrow("study.input must be a z.object({ … })");
    }
  });
});

describe("parseDuration", () => {
  it("gives milliseconds", () => {
    expect(["90s", "1.5m", "1h", 250, "24d"].map((value) => parseDuration(value, "x"))).toEqual([
      90_000,
      90_000,
      3_600_000,
      250,
      24 * 86_400_000,
    ]);
    for (const value of [Number.NaN, Infinity, -1, "1 parsec", "x".repeat(200)]) {
      expect(() => parseDuration(value, "the timeout")).toThrow(expect.objectContaining({ code: "invalid_input" }));
    }
  });
});

describe("sizes", () => {
  it("are read as they are written", () => {
    const sizes = ["2GB", "1.5 GiB", "512mb", "10KiB", "7", 4096, "3b"].map((value) => parseBytes(value, "x"));
    expect(sizes).toEqual([2e9, 1.5 * 2 ** 30, 512e6, 10_240, 7, 4096, 3]);
    for (const value of [Number.NaN, -1, "2 parsec", "1e3", "GB", "0.1"]) {
      expect(() => parseBytes(value, "the limit")).toThrow(expect.objectContaining({ code: "invalid_input" }));
    }
  });

  it("are shown for people", () => {
    expect([999, 1000, 1_500_000, 256e6, 2e9].map(bytesText)).toEqual(["999 B", "1 kB", "1.5 MB", "256 MB", "2 GB"]);
  });
});

describe("retries by kind", () => {
  it("stand in place of `retries`, and a crash has three tries at most unless said", () => {
    expect(define({ retries: 5, retry: { timeout: 0 } }).retry).toMatchObject({ error: 5, timeout: 0, crash: 2 });
    expect(define({ retry: { crash: 9 } }).retry).toMatchObject({ error: 1, crash: 9, invalid_output: 1 });
  });
});

describe("Registry", () => {
  const registry = new Registry([define({ name: "building_energy" }), define({ name: "lifespan" })]);

  it("finds by name, and tells the nearest for a slip", () => {
    expect(registry.get("lifespan").name).toBe("lifespan");
    expect(registry.find("Lifespan")).toBeUndefined();
    expect(registry.names).toEqual(["building_energy", "lifespan"]);
    expect(() => registry.get("bulding_energy")).toThrow(
      'No experiment named "bulding_energy". Did you mean "building_energy"?',
    );
    expect(() => registry.get("xyz")).toThrow(/^No experiment named "xyz"$/);
    expect(didYouMean("x", [])).toBe("");
  });

  it("refuses two of one name, also when only case differs", () => {
    expect(() => new Registry([define({ name: "a" }), define({ name: "A" })])).toThrow(
      "Two experiments are named a and A",
    );
  });
});

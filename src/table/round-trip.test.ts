import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { columnsOf } from "../schema/columns.ts";
import { makeValidator } from "../schema/validate.ts";
import { BatchBuilder } from "./batch.ts";
import { withDuckDb } from "./duckdb.ts";
import { pandasMetadata } from "./pandas.ts";
import { parquetFacts, parquetRows } from "./parquet-sql.ts";
import { ParquetReader, readRows } from "./read-parquet.ts";
import { finished, identifier, literal } from "./sql.ts";
import { ParquetFile, parquetBytes } from "./write-parquet.ts";

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "scythe-round-trip-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const newPath = () => join(folder, `${files++}.pq`);

/** The road of every value: physical Parquet → DuckDB's finished types → back to what the schema gave. */
async function roundTrip(schema: z.ZodObject, rows: readonly Record<string, unknown>[], batchSize = 1000) {
  const columns = columnsOf(schema, "input");
  const [staged, target] = [newPath(), newPath()];
  const file = new ParquetFile(staged, columns);
  for (let at = 0; at < rows.length; at += batchSize) {
    const builder = new BatchBuilder(columns);
    for (const row of rows.slice(at, at + batchSize)) builder.append(row);
    file.write(builder.take());
  }
  file.finish();
  const pandas = literal(pandasMetadata([], columns));
  const sql = `COPY (SELECT ${columns.map(finished).join(", ")} FROM ${parquetRows(staged)})
               TO ${literal(target)} (FORMAT parquet, KV_METADATA {pandas: ${pandas}})`;
  await withDuckDb({}, rows.length, (duck) => duck.run(sql, "finish"));
  const reader = await ParquetReader.open(target);
  try {
    const back: Record<string, unknown>[] = [];
    for await (const row of readRows(reader, columns)) back.push(row);
    return { back, reader, path: target };
  } finally {
    reader.close();
  }
}

const text = fc.string({ unit: "binary", maxLength: 20 });
const dates = fc.date({ noInvalidDate: true });
const doubles = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n));
const bigints = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const either = fc.oneof(text, doubles, fc.boolean());

const schema = z.strictObject({
  n: z.number(),
  i: z.int(),
  big: z.bigint(),
  flag: z.boolean(),
  text: z.string(),
  when: z.date(),
  list: z.array(z.number()),
  texts: z.array(z.string()),
  moments: z.array(z.date()),
  bigs: z.array(z.bigint()),
  flags: z.array(z.array(z.boolean())),
  object: z.strictObject({
    a: z.number(),
    when: z.date(),
    b: z.string().optional(),
    c: z.number().nullable(),
    big: z.bigint(),
  }),
  objects: z.array(z.strictObject({ a: z.string(), any: z.union([z.string(), z.number(), z.boolean()]) })),
  record: z.record(z.string(), z.number()),
  tuple: z.tuple([z.string(), z.number()]),
  either: z.union([z.string(), z.number(), z.boolean()]),
  eithers: z.array(z.union([z.string(), z.number(), z.boolean()])),
  maybe: z.string().optional(),
  none: z.bigint().nullable(),
  maybeList: z.array(z.number().nullable()).optional(),
  json: z.json(),
});
const rows = fc.record(
  {
    n: doubles,
    i: fc.maxSafeInteger(),
    big: bigints,
    flag: fc.boolean(),
    text,
    when: dates,
    list: fc.array(doubles, { maxLength: 4 }),
    texts: fc.array(text, { maxLength: 4 }),
    moments: fc.array(fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }), {
      maxLength: 3,
    }),
    bigs: fc.array(bigints, { maxLength: 3 }),
    flags: fc.array(fc.array(fc.boolean(), { maxLength: 2 }), { maxLength: 3 }),
    object: fc.record(
      {
        a: doubles,
        when: fc.constant(new Date("2020-01-31T12:00:00.123Z")),
        b: text,
        c: fc.option(doubles),
        big: bigints,
      },
      { requiredKeys: ["a", "when", "c", "big"] },
    ),
    objects: fc.array(fc.record({ a: text, any: either }), { maxLength: 3 }),
    record: fc.dictionary(
      fc.string({ maxLength: 5 }).filter((key) => key !== "__proto__"),
      doubles,
      { maxKeys: 4, noNullPrototype: true },
    ), // zod drops that key
    tuple: fc.tuple(text, doubles),
    either,
    eithers: fc.array(either, { maxLength: 4 }),
    maybe: text,
    none: fc.option(bigints),
    maybeList: fc.array(fc.option(doubles), { maxLength: 4 }),
    json: fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  },
  {
    requiredKeys: [
      "n",
      "i",
      "big",
      "flag",
      "text",
      "when",
      "list",
      "texts",
      "moments",
      "bigs",
      "flags",
      "object",
      "objects",
      "record",
      "tuple",
      "either",
      "eithers",
      "none",
      "json",
    ],
  },
);

describe("a table", () => {
  it("gives back every value that a schema lets through", async () => {
    const validate = makeValidator(schema, columnsOf(schema, "input"));
    await fc.assert(
      fc.asyncProperty(fc.array(rows, { minLength: 1, maxLength: 20 }), async (all) => {
        const valid = all.flatMap((row) => {
          const checked = validate(row);
          return checked.ok ? [checked.value] : [];
        });
        fc.pre(valid.length > 0);
        expect((await roundTrip(schema, valid, 7)).back).toEqual(valid);
      }),
      { numRuns: 40 },
    );
  });

  it("tells text that looks like JSON from what it looks like, inside lists and objects too", async () => {
    const either = z.union([z.string(), z.number(), z.boolean()]);
    const shape = z.object({ one: either, list: z.array(either), object: z.object({ a: either }) });
    const values = ["1", 1, "true", true, "null", '"quoted"', "[1]", "{}", ""];
    const all = values.map((one) => ({ one, list: [...values, one], object: { a: one } }));
    expect((await roundTrip(shape, all)).back).toEqual(all);
  });

  it("has the types that the schema says, whatever the data", async () => {
    const shape = z.object({
      n: z.number(),
      i: z.int(),
      none: z.int().nullable(),
      when: z.date(),
      list: z.array(z.int()),
      s: z.object({ a: z.int() }),
    });
    const { path } = await roundTrip(shape, [{ n: 1, i: 1, none: null, when: new Date(0), list: [], s: { a: 1 } }]);
    const described = await withDuckDb({}, 1, (duck) => duck.rows(`DESCRIBE FROM ${parquetRows(path)}`));
    expect(described.map(({ column_type }) => column_type)).toEqual([
      "DOUBLE",
      "BIGINT",
      "BIGINT",
      "TIMESTAMP WITH TIME ZONE",
      "BIGINT[]",
      "STRUCT(a BIGINT)",
    ]);
  });

  it("keeps nulls of rows that follow rows without any, and the other way", async () => {
    const shape = z.object({
      a: z.number().nullable(),
      b: z.string().nullable(),
      c: z.boolean().nullable(),
      d: z.bigint().nullable(),
    });
    const full = { a: 1.5, b: "x", c: true, d: 3n };
    const none = { a: null, b: null, c: null, d: null };
    const mixed = [full, full, none, none, full, none, { ...full, a: null }];
    expect((await roundTrip(shape, mixed, 2)).back).toEqual(mixed);
    expect((await roundTrip(shape, [none, none])).back).toEqual([none, none]);
    expect((await roundTrip(shape, [])).back).toEqual([]);
  });

  it("takes column names of any kind", async () => {
    const names = ["a b", "a.b", "it's", 'say "x"', "ü", "select", "a,b", "$1", "100%", "emoji 😀"];
    const shape = z.object(Object.fromEntries(names.map((name) => [name, z.number()])));
    const row = Object.fromEntries(names.map((name, i) => [name, i]));
    const { back, reader } = await roundTrip(shape, [row]);
    expect(back).toEqual([row]);
    expect(reader.columnNames).toEqual(names);
  });
});

describe("ParquetReader", () => {
  it("reads any range of rows, over the borders of row groups", async () => {
    const shape = z.object({ i: z.int(), list: z.array(z.int()) });
    const path = newPath();
    const columns = columnsOf(shape, "input");
    const file = new ParquetFile(path, columns);
    for (let group = 0; group < 4; group++) {
      const builder = new BatchBuilder(columns);
      for (let i = 0; i < 5; i++) builder.append({ i: group * 5 + i, list: [group, i] });
      file.write(builder.take());
    }
    file.finish();
    const reader = await ParquetReader.open(path);
    for (const [from, to] of [
      [0, 20],
      [3, 17],
      [5, 10],
      [19, 20],
      [7, 7],
    ] as const) {
      const read: unknown[] = [];
      for await (const row of readRows(reader, columns.slice(0, 1), from, to)) read.push(row.i);
      expect(read).toEqual(Array.from({ length: to - from }, (_, i) => from + i));
    }
    expect([...reader.rowGroups(3, 12)]).toEqual([
      { from: 3, to: 5 },
      { from: 5, to: 10 },
      { from: 10, to: 12 },
    ]);
    expect(reader.columnNames).toEqual(["i", "list"]);
    reader.close();
  });

  it("says when there is no file", async () => {
    await expect(ParquetReader.open(join(folder, "none.pq"))).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("parquetBytes", () => {
  it("writes what DuckDB reads, key-value metadata included", async () => {
    const columns = columnsOf(z.object({ a: z.number(), b: z.string().nullable() }), "input");
    const builder = new BatchBuilder(columns);
    builder.append({ a: 1, b: "x" });
    builder.append({ a: 2, b: null });
    const path = newPath();
    const { writeFile } = await import("node:fs/promises");
    await writeFile(path, parquetBytes(builder.take(), { who: "me" }));
    const [rows, metadata] = await withDuckDb({}, 1, async (duck) => [
      await duck.rows(`FROM ${parquetRows([path])}`),
      await duck.rows(`SELECT decode(key) AS k, decode(value) AS v FROM ${parquetFacts("kv_metadata", path)}`),
    ]);
    expect(rows).toEqual([
      { a: 1, b: "x" },
      { a: 2, b: null },
    ]);
    expect(metadata).toContainEqual({ k: "who", v: "me" });
  });
});

describe("SQL", () => {
  it("quotes any text and any name", async () => {
    await withDuckDb({}, 1, async (duck) => {
      await fc.assert(
        fc.asyncProperty(
          fc.string({ unit: "grapheme", maxLength: 20 }),
          fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
          async (value, name) => {
            fc.pre(!`${value}${name}`.includes("\0"));
            expect(await duck.rows(`SELECT ${literal(value)} AS ${identifier(name)}`)).toEqual([{ [name]: value }]);
          },
        ),
        { examples: [["it's", "__proto__"]] },
      );
    });
  });
});

describe("pandas metadata", () => {
  it("names the index, then every column with its type", () => {
    const columns = columnsOf(
      z.object({ s: z.string(), n: z.number(), i: z.int(), b: z.boolean(), d: z.date(), l: z.array(z.number()) }),
      "x",
    );
    const parsed = JSON.parse(pandasMetadata(columns.slice(0, 2), columns.slice(2)));
    expect(parsed.index_columns).toEqual(["s", "n"]);
    expect(parsed.columns.map((c: { name: string; pandas_type: string }) => `${c.name} ${c.pandas_type}`)).toEqual([
      "s unicode",
      "n float64",
      "i int64",
      "b bool",
      "d datetimetz",
      "l object",
    ]);
    expect(parsed.columns.every((c: { name: string; field_name: string }) => c.name === c.field_name)).toBe(true);
  });
});

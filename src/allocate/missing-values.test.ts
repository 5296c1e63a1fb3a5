import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { specsFromFlags } from "../cli/spec-flags.ts";
import { memoryStorage } from "../storage/memory.ts";
import { withConnection } from "../table/duckdb.ts";
import { allocate, experimentOf, scratchFolder, specsOf } from "./allocation.testsuite.ts";

const scratch = scratchFolder();
let files = 0;

type Cells = Record<string, string | number | null>;

/** The same table in every way that specs come in, with nothing where there is a null. */
const WAYS: Record<string, (rows: Cells[], experiment: ReturnType<typeof experimentOf>) => Promise<unknown>> = {
  csv: (rows) => {
    const names = Object.keys(rows[0]!);
    const lines = rows.map((row) => names.map((name) => row[name] ?? "").join(","));
    return file(".csv", [names.join(","), ...lines].join("\n"));
  },
  jsonl: (rows) => file(".jsonl", rows.map((row) => JSON.stringify(row)).join("\n")),
  json: (rows) => file(".json", JSON.stringify(rows)),
  parquet: async (rows) => {
    const path = join(scratch.path, `${files++}.pq`);
    const json = await file(".json", JSON.stringify(rows));
    await withConnection({}, (c) => c.run(`COPY (SELECT * FROM read_json('${json}')) TO '${path}' (FORMAT parquet)`));
    return path;
  },
  "--set": async ([row], experiment) => specsFromFlags(experiment, { set: assignments(row!) }),
  "--grid": async ([row], experiment) => specsFromFlags(experiment, { grid: assignments(row!) }),
  code: async (rows) => rows,
};

const assignments = (row: Cells) => Object.entries(row).map(([name, value]) => `${name}=${value ?? ""}`);

async function file(extension: string, text: string): Promise<string> {
  const path = join(scratch.path, `${files++}${extension}`);
  await writeFile(path, text);
  return path;
}

const store = async (way: string, shape: z.ZodRawShape, rows: Cells[]) => {
  const experiment = experimentOf(z.object(shape)) as ReturnType<typeof experimentOf>;
  const storage = memoryStorage();
  const run = await allocate(storage, await WAYS[way]!(rows, experiment), {}, experiment);
  const [{ sort_index: _, ...first } = {} as never] = await specsOf(storage, run, experiment, scratch.path);
  return first;
};

const KINDS = {
  number: [() => z.coerce.number(), () => z.number(), 7],
  boolean: [() => z.coerce.boolean(), () => z.boolean(), true],
  string: [() => z.coerce.string(), () => z.string(), "x"],
  bigint: [() => z.coerce.bigint(), () => z.bigint(), 7n],
  date: [() => z.coerce.date(), () => z.date(), new Date(86_400_000)],
} as const;

describe.each(Object.keys(WAYS))("a value that is missing, by %s,", (way) => {
  describe.each(Object.entries(KINDS))("of a %s", (_kind, [coerced, plain, value]) => {
    describe.each([
      ["under z.coerce", coerced as () => z.ZodType],
      ["as it is", plain as () => z.ZodType],
    ])("%s", (_how, make) => {
      it("stays missing: its default, nothing, or null", async () => {
        const shape = {
          id: z.string(),
          optional: make().optional(),
          filled: make().default(value as never),
          nullable: make().nullable(),
        };
        const row = { id: "x", optional: null, filled: null, nullable: null };
        expect(await store(way, shape, [row])).toEqual({ id: "x", filled: value, nullable: null });
      });

      it("is refused by row, field and rule where it is required", async () => {
        const problem = store(way, { id: z.string(), needed: make() }, [{ id: "x", needed: null }]);
        await expect(problem).rejects.toThrow(/(line|row|spec).*, needed = (\(empty\)|null): is missing/);
      });
    });
  });
});

it("the cell of text is as empty as any other; null that a schema takes stays null in formats that have one", async () => {
  const shape = { id: z.string(), a: z.number().nullable().default(5), b: z.string().optional() };
  const row = { id: "x", a: null, b: null };
  expect(await store("csv", shape, [row])).toEqual({ id: "x", a: 5 });
  expect(await store("jsonl", shape, [row])).toEqual({ id: "x", a: null });
});

it("within lists and objects, too", async () => {
  const shape = {
    inner: z.object({ day: z.coerce.date().optional(), n: z.coerce.number().default(3) }),
    list: z.array(z.coerce.number()),
  };
  const of = (text: string) => file(".jsonl", text);
  const experiment = experimentOf(z.object(shape)) as ReturnType<typeof experimentOf>;
  const storage = memoryStorage();
  const run = await allocate(storage, await of('{"inner": {"day": null, "n": null}, "list": [1]}'), {}, experiment);
  expect(await specsOf(storage, run, experiment, scratch.path)).toMatchObject([{ inner: { n: 3 }, list: [1] }]);
  const refused = allocate(storage, await of('{"inner": {}, "list": [1, null]}'), {}, experiment);
  await expect(refused).rejects.toThrow("line 1, list.1 = null: must have a value here, not null");
});

describe.each(["csv", "jsonl", "json", "--set", "code"])("a date by %s", (way) => {
  it.each([() => z.date(), () => z.coerce.date()])("is ISO 8601, and UTC without a zone", async (make) => {
    const zone = process.env.TZ;
    process.env.TZ = "America/New_York";
    try {
      const when = new Date("2024-01-31T12:00:00Z");
      expect(await store(way, { when: make() }, [{ when: "2024-01-31 12:00:00" }])).toEqual({ when });
      for (const typed of ["2024-02-30", "01/02/2024", "1706700000"]) {
        const problem = store(way, { when: make() }, [{ when: typed }]);
        await expect(problem).rejects.toThrow(`when = "${typed}": must be a date or time in ISO 8601`);
      }
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });
});

it("a number is no date: it might be seconds or milliseconds", async () => {
  const problem = store("jsonl", { when: z.date() }, [{ when: 1706700000 }]);
  await expect(problem).rejects.toThrow("when = 1706700000: must be a date or time in ISO 8601");
});

describe("z.coerce", () => {
  it.each([
    [z.coerce.number(), '""', "must be a number"],
    [z.coerce.number(), '" "', "must be a number"],
    [z.coerce.number(), '"0x10"', "must be a number"],
    [z.coerce.number(), "[5]", "must be a number"],
    [z.coerce.boolean(), '"maybe"', "must be true or false"],
    [z.coerce.boolean(), "[]", "must be true or false"],
    [z.coerce.bigint(), '""', "must be a whole number"],
    [z.coerce.bigint(), "9007199254740993", "has more digits than a number in JSON can hold"],
    [z.coerce.date(), "1706700000", "must be a date or time in ISO 8601"],
    [z.coerce.date(), "true", "must be a date or time in ISO 8601"],
    [z.coerce.string(), "{}", "must be text"],
  ])("%# makes no value of what is none", async (schema, text, rule) => {
    const experiment = experimentOf(z.object({ a: schema })) as ReturnType<typeof experimentOf>;
    const problem = allocate(memoryStorage(), await file(".jsonl", `{"a": ${text}}`), {}, experiment);
    await expect(problem).rejects.toThrow(rule);
  });

  it("takes what is written as such a value", async () => {
    const shape = { n: z.coerce.number(), flag: z.coerce.boolean(), big: z.coerce.bigint(), text: z.coerce.string() };
    const row = { n: " 1.5 ", flag: "no", big: "9007199254740993", text: 5 };
    expect(await store("jsonl", shape, [row])).toEqual({ n: 1.5, flag: false, big: 9007199254740993n, text: "5" });
  });
});

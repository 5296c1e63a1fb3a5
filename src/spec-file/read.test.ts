import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { columnsOf } from "../schema/columns.ts";
import { EMPTY, givenReader } from "../schema/spec-validator.ts";
import { withConnection } from "../table/duckdb.ts";
import { parseCell } from "./cell.ts";
import { JsonElements } from "./json-elements.ts";
import { readSpecFile } from "./read.ts";
import type { ReadOptions, SpecRecord } from "./source.ts";

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "scythe-spec-file-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const shape = {
  n: z.number(),
  i: z.int(),
  flag: z.boolean(),
  text: z.string(),
  big: z.bigint(),
  when: z.date(),
  list: z.array(z.number()),
  dates: z.array(z.date()),
  inner: z.object({ day: z.date().optional(), big: z.bigint().optional() }),
  either: z.union([z.string(), z.number()]),
  maybe: z.number().optional(),
  none: z.number().nullable(),
};
const COLUMNS = columnsOf(z.object(shape), "input");
const given = givenReader(z.object(shape).partial({ n: true, i: true, text: true }));
const read = async (path: string, options: ReadOptions = {}): Promise<SpecRecord[]> => {
  const records: SpecRecord[] = [];
  for await (const { at, value } of readSpecFile(path, COLUMNS, options)) {
    records.push({ at, value: given(value, []) }); // as the schema sees it
  }
  return records;
};
const write = async (extension: string, content: string | Uint8Array) => {
  const path = join(folder, `specs-${files++}${extension}`);
  await writeFile(path, content);
  return path;
};
const readText = async (extension: string, content: string) => read(await write(extension, content));
const values = (records: SpecRecord[]) => records.map(({ value }) => value);
const problem = (work: Promise<unknown>) =>
  work.then(
    () => "read",
    (e) => `${e.code}: ${e.message}`,
  );

describe("CSV", () => {
  it("becomes what the columns ask for", async () => {
    const header = "n,i,flag,text,big,when,list,dates,inner,either";
    const row = `-1.5e3,7,TRUE,007,9223372036854775807,2020-01-31T12:00:00Z,"[1,2]","[""2020-01-31""]","{""big"": ""5""}",abc`;
    expect(values(await readText(".csv", `${header}\n${row}\n`))).toEqual([
      {
        n: -1500,
        i: 7,
        flag: true,
        text: "007",
        big: 2n ** 63n - 1n,
        when: new Date("2020-01-31T12:00:00Z"),
        list: [1, 2],
        dates: [new Date("2020-01-31")],
        inner: { big: 5n },
        either: "abc",
      },
    ]);
  });

  it("may have a byte order mark, Windows line ends, quoted commas, quotes and line breaks, empty lines", async () => {
    const content = '\uFEFFtext,n\r\n"a, ""b""\r\nc",1\r\n\r\nplain,2\r\n';
    expect(values(await readText(".csv", content))).toEqual([
      { text: 'a, "b"\r\nc', n: 1 },
      { text: "plain", n: 2 },
    ]);
  });

  it("tells each record's line, the last of several", async () => {
    const records = await readText(".csv", 'text,n\na,1\n"b\nb",2\n\nc,3');
    expect(records.map(({ at }) => at)).toEqual(["line 2", "line 4", "line 6"]);
  });

  it("takes an empty cell for a missing value", async () => {
    expect(values(await readText(".csv", "text,n,maybe\n,1,\nx,,2\n"))).toEqual([{ n: 1 }, { text: "x", maybe: 2 }]);
  });

  it("hands on what does not look like its column, for the schema to refuse", async () => {
    const [value] = values(await readText(".csv", "n,i,flag,big,list\n1.2.3,0x10,maybe,1.5,[1\n"));
    expect(value).toEqual({ n: "1.2.3", i: "0x10", flag: "maybe", big: "1.5", list: "[1" });
  });

  it("guesses only for fields that the schema does not name", async () => {
    const [value] = values(await readText(".csv", "a,b,c,d,e\n1,true,constructor,1e3,01:30\n"));
    expect(value).toEqual({ a: 1, b: true, c: "constructor", d: 1000, e: "01:30" });
  });

  it.each([
    ["n,text\n1,a\n2\n", "line 3"],
    ["n,text\n1,a,b\n", "line 2"],
    ['n,text\n1,"open\n2,b\n', "Quote Not Closed"],
    ['n,text\n1,a"b"\n', "line 2"],
    ["n,n\n1,2\n", "two columns are named n"],
  ])("that is malformed is refused with its place: %j", async (content, place) => {
    const found = await problem(readText(".csv", content));
    expect(found).toMatch(/^invalid_input: .*\.csv: /);
    expect(found).toContain(place);
  });

  it("that is split in another way says how to save it", async () => {
    expect(await problem(readText(".csv", "n;text\n1;a\n"))).toContain("separated by semicolons, not by commas");
    expect(await problem(readText(".csv", "n\ttext\n1\ta\n"))).toContain("separated by tabs");
    expect(values(await readText(".csv", "n\n1\n"))).toEqual([{ n: 1 }]);
  });

  it("may have pandas' index column, which is left out with a notice, and columns of nothing", async () => {
    for (const name of ["", "Unnamed: 0"]) {
      const notices: string[] = [];
      const path = await write(".csv", `${name},n,\n0,5,\n1,6,\n`);
      expect(values(await read(path, { notice: (text) => notices.push(text) }))).toEqual([{ n: 5 }, { n: 6 }]);
      expect(notices).toEqual([
        `${path}: the first column has no name, like the index that pandas writes; it is ignored`,
      ]);
    }
    expect(values(await readText(".csv", "n,\n5,x\n"))).toEqual([{ n: 5, 'column 2 "without a name"': "x" }]);
  });

  it("keeps digits that a number would not hold, in fields that the schema does not name", async () => {
    expect(values(await readText(".csv", "a,b\n9007199254740993,9007199254740991\n"))).toEqual([
      { a: "9007199254740993", b: 9007199254740991 },
    ]);
  });

  it("of numbers reads any number back exactly", () => {
    const column = COLUMNS.find(({ name }) => name === "n");
    fc.assert(
      fc.property(fc.double(), (number) => {
        expect(parseCell(column, String(number))).toBe(Object.is(number, -0) ? 0 : number);
      }),
    );
    expect([" 1 ", "+2", ".5", "5.", "1,5", "", " ", "--1"].map((cell) => parseCell(column, cell))).toEqual([
      1,
      2,
      0.5,
      5,
      "1,5",
      EMPTY,
      EMPTY,
      "--1",
    ]);
  });
});

describe("JSON lines", () => {
  it("are a spec a line; ISO text and digits stand for dates and 64-bit integers, at any depth", async () => {
    const lines = [
      '\uFEFF{"n": 1, "when": "2020-01-31T12:00:00Z", "big": "9007199254740993"}',
      "",
      '{"n": 2, "big": 7, "dates": ["2020-01-31"], "inner": {"day": "2020-02-01"}, "text": "a\u2028b"}\r',
    ];
    const records = await readText(".jsonl", lines.join("\n"));
    expect(records.map(({ at }) => at)).toEqual(["line 1", "line 3"]);
    expect(values(records)).toEqual([
      { n: 1, when: new Date("2020-01-31T12:00:00Z"), big: 9007199254740993n },
      { n: 2, big: 7n, dates: [new Date("2020-01-31")], inner: { day: new Date("2020-02-01") }, text: "a\u2028b" },
    ]);
  });

  it("in which a key stands twice are refused", async () => {
    const twice = '{"n": 1, "inner": {"a": ":", "big": 1, "b\\u0069g": 2}}';
    expect(await problem(readText(".jsonl", twice))).toContain('line 1 is not JSON: the key "big" appears twice');
    expect(await problem(readText(".json", `[{"n": 1},\n {"n": 1, "n": 1}]`))).toContain('the key "n" appears twice');
    const fine = '{"n": 1, "text": "a:b, \\"n\\": {}", "inner": {"n": 1, "text": ":"}}';
    expect(values(await readText(".jsonl", fine))).toEqual([JSON.parse(fine)]);
  });

  it("say what is to be written for NaN", async () => {
    expect(await problem(readText(".jsonl", '{"n": NaN}'))).toContain("NaN is not in JSON; write null");
  });

  it("that are not JSON are refused by their number", async () => {
    const found = await problem(readText(".ndjson", '{"n": 1}\n\n{"n": }\n'));
    expect(found).toMatch(/^invalid_input: .*\.ndjson: line 3 is not JSON/);
  });
});

describe("a JSON file", () => {
  it("is one array of specs, or one spec, with or without a byte order mark", async () => {
    const specs = [
      { n: 1, text: "[,]" },
      { n: 2, list: [1, [2]] },
    ];
    for (const content of [JSON.stringify(specs), `\uFEFF ${JSON.stringify(specs, null, 2)}\n`]) {
      expect(values(await readText(".json", content))).toEqual(specs);
    }
    expect(values(await readText(".json", '{"n": 1, "when": "2020-01-31"}\n'))).toEqual([
      { n: 1, when: new Date("2020-01-31") },
    ]);
    expect(await readText(".json", "[]")).toEqual([]);
  });

  it("keeps the order of many", async () => {
    const specs = Array.from({ length: 5_000 }, (_, n) => ({ n, text: "x".repeat(n % 50) }));
    expect(values(await readText(".json", JSON.stringify(specs)))).toEqual(specs);
  });

  it("may hold objects one after the other, as pandas writes lines", async () => {
    expect(values(await readText(".json", '{"n": 1}\n{"n": 2}\n'))).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it("is split into the same elements however it is cut into pieces", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.integer({ min: 1, max: 9 }), (specs, size) => {
        const text = JSON.stringify(specs, null, size % 3);
        const elements = new JsonElements(1_000_000);
        const found: string[] = [];
        for (let at = 0; at < text.length; at += size) found.push(...elements.push(text.slice(at, at + size)));
        found.push(...elements.end());
        expect(found.map((element) => JSON.parse(element))).toEqual(JSON.parse(JSON.stringify(specs)));
      }),
    );
  });

  it("may hold a spec of ten megabytes", async () => {
    const [value] = values(await readText(".json", JSON.stringify([{ text: "y".repeat(10_000_000) }])));
    expect((value as { text: string }).text).toHaveLength(10_000_000);
  });

  it.each(['[{"n": 1},', '[{"n": 1}', '[{"n": 1}, {"n": }]', "", "  ", "[1, 2", '[{"n": 1}] x'])(
    "that is cut short or malformed is refused: %j",
    async (content) => {
      expect(await problem(readText(".json", content))).toMatch(/^invalid_input: .*\.json/);
    },
  );
});

describe("Parquet", () => {
  const parquet = async (select: string, options = "") => {
    const path = join(folder, `specs-${files++}.pq`);
    await withConnection({}, (c) => c.run(`COPY (${select}) TO '${path}' (FORMAT parquet ${options})`));
    return path;
  };

  it("carries its own types", async () => {
    const path = await parquet(
      `SELECT 1.5 AS n, 7 AS i, true AS flag, 'x' AS text, 9007199254740993 AS big, 'abc' AS either,
              TIMESTAMP '2020-01-31 12:00:00' AS "when", [1.0, 2.0] AS list, [TIMESTAMP '2020-01-31'] AS dates,
              {day: TIMESTAMP '2020-02-01', big: 5} AS inner`,
    );
    expect(values(await read(path))).toEqual([
      {
        n: 1.5,
        i: 7,
        flag: true,
        text: "x",
        big: 9007199254740993n,
        either: "abc",
        when: new Date("2020-01-31T12:00:00Z"),
        list: [1, 2],
        dates: [new Date("2020-01-31")],
        inner: { day: new Date("2020-02-01"), big: 5n },
      },
    ]);
  });

  it("leaves out the nulls of fields that may be missing, and keeps those of fields that may be null", async () => {
    const path = await parquet("SELECT NULL::DOUBLE AS maybe, NULL::DOUBLE AS none, NULL::DOUBLE AS n, NULL AS extra");
    expect(values(await read(path))).toEqual([{ none: null }]);
  });

  it("of Python Scythe loads as it is: reserved columns skipped but for sort_index, dates as text", async () => {
    const path = await parquet(
      `SELECT 'e/v1.0.0/2025-01-01_00-00-00' AS experiment_id, 3 AS sort_index, NULL AS workflow_run_id,
              NULL AS root_workflow_run_id, {bucket: 'b'} AS storage_settings, 0 AS __index_level_0__,
              2.5 AS n, '2020-01-31T00:00:00' AS "when"`,
    );
    const records = await read(path);
    expect(values(records)).toEqual([{ sort_index: 3, n: 2.5, when: new Date("2020-01-31T00:00:00Z") }]);
    expect(records[0]!.at).toBe("row 1");
  });

  it("hands on what is of another type, for the schema to refuse", async () => {
    const path = await parquet("SELECT 'x' AS n, 'y' AS big, 1.5 AS list, 'z' AS inner, 3 AS text");
    expect(values(await read(path))).toEqual([{ n: "x", big: "y", list: 1.5, inner: "z", text: 3 }]);
  });

  it("that cannot be read says why", async () => {
    expect(await problem(readText(".parquet", "not parquet"))).toMatch(/^invalid_input: .* is not a readable Parquet/);
  });
});

describe("a spec file", () => {
  it("that is missing, a folder, or of no known kind is refused by name", async () => {
    expect(await problem(read(join(folder, "none.csv")))).toMatch(/^invalid_input: No spec file .*none\.csv/);
    expect(await problem(readText(".xlsx", ""))).toMatch(/^invalid_input: .*what kind of spec file/);
    await expect(read(`${folder}/.csv`)).rejects.toThrow();
  });

  it("of text may be compressed, whatever its name says", async () => {
    expect(values(await read(await write(".csv.gz", gzipSync("n\n1\n"))))).toEqual([{ n: 1 }]);
    expect(values(await read(await write(".jsonl", gzipSync('{"n": 1}'))))).toEqual([{ n: 1 }]);
  });

  it("may have a name that looks like a pattern", async () => {
    const path = join(folder, "specs [1] *.json");
    await writeFile(path, '[{"n": 1}]');
    expect(values(await read(path))).toEqual([{ n: 1 }]);
  });
});

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineExperiment, openProject, type Results, type Scythe, table } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { collect } from "./collect.ts";
import { findPython } from "./python.ts";

const python = findPython("pandas", "pyarrow", "duckdb");
const storage = mkdtempSync(join(tmpdir(), "scythe-values-"));
afterAll(() => rmSync(storage, { recursive: true, force: true }));

const TEN_MB = "0123456789".repeat(1e6);
const MIN_INT64 = -(2n ** 63n);
const TEXTS: Record<string, string> = {
  nul: "a\0b",
  emoji: "👩‍🚀 é \u202e",
  empty: "",
  null_word: "null",
  ten_mb: TEN_MB,
  control: "\u0001\r\n\t\"'\\",
};

/** Gives back each value that JavaScript has and a table might not. */
const values = defineExperiment({
  name: "values",
  input: z.object({ how: z.string() }),
  output: z.object({
    real: z.number().nullable().optional(),
    whole: z.int().nullable(),
    big: z.bigint().nullable(),
    when: z.date().nullable(),
    text: z.string().nullish(),
    object: z.object({ text: z.string(), maybe: z.number().nullish() }).optional(),
    json: z.json().optional(),
  }),
  tables: { empty: table(z.object({ never: z.int() })), cells: table(z.object({ real: z.number().nullable() })) },
  retries: 0,
  run({ how }) {
    const none = { whole: null, big: null, when: null, tables: { empty: [], cells: [] as { real: number | null }[] } };
    const reals: Record<string, number> = { nan: Number.NaN, inf: Infinity, minus_inf: -Infinity, minus_zero: -0 };
    if (how in reals) return { ...none, real: reals[how]! };
    if (how in TEXTS) return { ...none, text: TEXTS[how]!, object: { text: TEXTS[how]! }, json: [TEXTS[how]!] };
    if (how === "null") return { ...none, real: null, text: null };
    if (how === "extreme") {
      const [big, when] = [MIN_INT64, new Date("0001-01-01T00:00:00.001Z")];
      const tables = { ...none.tables, cells: [{ real: 5e-324 }, { real: null }, { real: Number.MAX_VALUE }] };
      return { ...none, real: 5e-324, whole: Number.MIN_SAFE_INTEGER, big, when, tables };
    }
    if (how === "too_big") return { ...none, big: 2n ** 63n };
    if (how === "unsafe") return { ...none, whole: 2 ** 53 };
    if (how === "no_date") return { ...none, when: new Date(Number.NaN) };
    if (how === "surrogate") return { ...none, text: "a\ud800" };
    if (how === "inner_surrogate") return { ...none, object: { text: "\udc00" } };
    if (how === "json_surrogate") return { ...none, json: { deep: ["\ud800"] } };
    if (how === "nan_cell") return { ...none, tables: { empty: [], cells: [{ real: Number.NaN }] } };
    return none;
  },
});

const REFUSED = ["nan", "inf", "minus_inf", "too_big", "unsafe", "no_date", "surrogate", "inner_surrogate"].concat(
  "json_surrogate",
  "nan_cell",
);
const KEPT = ["minus_zero", "null", "missing", "extreme", ...Object.keys(TEXTS)];

describe("the value matrix", () => {
  let scythe: Scythe;
  let results: Results;
  beforeAll(async () => {
    scythe = await openProject({ experiments: [values], storage });
    results = await (
      await scythe.allocate(
        values,
        [...REFUSED, ...KEPT].map((how) => ({ how })),
      )
    ).result();
  });
  afterAll(() => scythe?.close());

  it("refuses what a column cannot hold, by name", async () => {
    const errors = await collect(results.errors());
    expect(errors.map((row) => (row as { how?: string }).how)).toEqual(REFUSED);
    expect(errors.every(({ kind }) => kind === "invalid_output")).toBe(true);
    const messages = Object.fromEntries(errors.map((row) => [(row as { how?: string }).how, row.message]));
    expect(messages.nan).toContain("real = NaN");
    expect(messages.too_big).toContain("big = 9223372036854775808n: must fit a signed 64-bit integer");
    expect(messages.no_date).toContain("when = Invalid Date");
    expect(messages.inner_surrogate).toContain("half of a surrogate pair");
    expect(messages.nan_cell).toContain("tables.cells, row 0: real = NaN");
  });

  it("gives back what it holds", async () => {
    const rows = Object.fromEntries((await collect(results.rows())).map((row) => [(row as { how: string }).how, row]));
    expect(Object.keys(rows)).toEqual(KEPT);
    expect(Object.is((rows.minus_zero as { real: number }).real, -0)).toBe(true);
    expect(rows.null).toMatchObject({ real: null, text: null, whole: null, big: null, when: null });
    expect(rows.extreme).toMatchObject({ real: 5e-324, whole: Number.MIN_SAFE_INTEGER, big: MIN_INT64 });
    expect((rows.extreme as { when: Date }).when.toISOString()).toBe("0001-01-01T00:00:00.001Z");
    for (const [how, text] of Object.entries(TEXTS)) {
      const row = rows[how] as { text: string; object: { text: string }; json: [string] };
      expect([row.text === text, row.object.text === text, row.json[0] === text], how).toEqual([true, true, true]);
    }
    expect(await collect(results.table("empty"))).toEqual([]);
    const cells = await collect(results.table("cells"));
    expect(cells.map((row) => (row as { real: number | null }).real)).toEqual([5e-324, null, Number.MAX_VALUE]);
  });

  it.skipIf(!python)("pandas and DuckDB see the same", async () => {
    const folder = fileURLToPath((await results.listResultsFiles()).scalars!).replace(/scalars\.pq$/, "");
    const script = fileURLToPath(new URL("./values_check.py", import.meta.url));
    const seen = JSON.parse(execFileSync(python!, [script, folder], { encoding: "utf8", maxBuffer: 2 ** 28 }));
    expect(seen.types).toEqual({
      big: "BIGINT",
      real: "DOUBLE",
      text: "VARCHAR",
      when: "TIMESTAMP WITH TIME ZONE",
      whole: "BIGINT",
    });
    expect(seen.minus_zero).toBe(-1);
    expect(seen.extreme).toEqual({ real: 5e-324, whole: String(Number.MIN_SAFE_INTEGER), big: String(MIN_INT64) });
    expect(seen.year).toBe(1);
    for (const [how, text] of Object.entries(TEXTS)) {
      expect([seen.pandas[how] === text, seen.duckdb[how] === text], how).toEqual([true, true]);
    }
    expect(seen.missing).toEqual([true, true]); // null and left out are both null
    expect(seen.empty).toEqual([0, "int64"]);
  });
});

describe("a type that changes late", () => {
  const spec = (n: number) => ({ n, extra: n < 50_001 ? n : `text ${n}` });
  const loose = defineExperiment({
    name: "loose",
    input: z.looseObject({ n: z.int() }),
    output: z.object({ twice: z.int() }),
    computedFeatures: ({ n }) => ({ mixed: n < 50_001 ? n : "late" }),
    run: ({ n }) => ({ twice: 2 * n }),
  });

  it("is refused where the schema is loose, before anything is stored", async () => {
    await using scythe = await openProject({ experiments: [loose], storage });
    const specs = Array.from({ length: 50_003 }, (_, n) => spec(n));
    await expect(scythe.allocate(loose, specs)).rejects.toThrow(/extra/);
    expect(await scythe.experiment(loose).listVersions()).toEqual([]);
  });

  it("makes a feature text, in every row", async () => {
    await using scythe = await openProject({ experiments: [loose], storage });
    const specs = Array.from({ length: 50_003 }, (_, n) => ({ n }));
    const results = await (await scythe.allocate(loose, specs)).result();
    const query = "SELECT typeof(mixed) AS type, count(*) AS n, max(mixed) AS last FROM scalars GROUP BY 1";
    const [row, ...more] = (await results.query(query)) as Record<string, unknown>[];
    expect(more).toEqual([]);
    expect({ ...row, n: Number(row!.n) }).toEqual({ type: "VARCHAR", n: 50_003, last: "late" });
  });
});

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withDuckDb } from "../table/duckdb.ts";
import { queryTables } from "./query.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-query-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const table = join(folder, "scalars.pq");
const tables = new Map([["scalars", table]]);
const out = join(folder, "out");
const secret = join(folder, "secret.csv");
let before: Buffer;

beforeAll(async () => {
  writeFileSync(secret, "a\n1\n");
  const sql = `COPY (SELECT range AS a, range % 3 AS b FROM range(10)) TO '${table}' (FORMAT parquet)`;
  await withDuckDb({}, 1, (duck) => duck.run(sql, ""));
  before = readFileSync(table);
});

describe("a query", () => {
  it.each([
    ["select 1 as x; select 2 as x", /is 2 statements, not one/],
    ["", /is empty/],
    [" ; ", /is empty/],
    ["-- nothing but a comment", /is empty/],
  ])("is one: %j is refused", async (sql, message) => {
    await expect(queryTables(tables, sql)).rejects.toThrow(message);
  });

  it.each([
    ["select count(*) as n from scalars", [{ n: 10 }]],
    ["from scalars where a = 9", [{ a: 9, b: 0 }]],
    ["values (1)", [{ col0: 1 }]],
    ["with t as (from range(3)) select sum(range) as s from t -- a comment", [{ s: 3 }]],
    ["select sum(u) as s from (select unnest([1, 2]) as u)", [{ s: 3 }]],
    ["pivot (from scalars where a < 3) on b in (0, 1) using sum(a)", [{ 0: 0, 1: 1 }]],
    ["select 'copy x to y; attach' as t", [{ t: "copy x to y; attach" }]],
    ["select 1 as __proto__", [Object.fromEntries([["__proto__", 1]])]],
  ])("reads: %s", async (sql, rows) => expect((await queryTables(tables, sql)).rows).toEqual(rows));

  it.each(["describe scalars", "summarize scalars", "show tables", "explain select 1", "EXPLAIN ANALYZE from scalars"])(
    "tells: %s",
    async (sql) => expect((await queryTables(tables, sql)).rows.length).toBeGreaterThan(0),
  );

  const COPY = `copy (select 1 as a) to '${table}' (format parquet, use_tmp_file false)`;
  it.each([
    COPY,
    `explain analyze ${COPY}`,
    `EXPLAIN ANALYZE\n${COPY}`,
    `/**/ explain analyze ${COPY}`,
    `explain (analyze) ${COPY}`,
    `explain (analyze, format json) ${COPY}`,
    `explain /**/ analyze ${COPY}`,
    `explain analyze/**/ ${COPY}`,
    `explain (analyze) from enable_profiling()`,
    `explain analyze select 1; ${COPY}`,
    `select 1; ${COPY}`,
    `select 1;\0 ${COPY}`,
    `prepare p as ${COPY}`,
    `create table t as select 1`,
    `create macro m() as table select * from enable_profiling()`,
    "insert into scalars values (1, 2)",
    "drop view scalars",
    `attach '${out}' as other`,
    `export database '${out}'`,
    "install httpfs",
    "load httpfs",
    "set memory_limit = '1TB'",
    "reset enable_external_access",
    "pragma enable_profiling",
    "call enable_logging()",
    "checkpoint",
    "vacuum",
    `select * from enable_logging(storage = 'file', storage_path = '${out}')`,
    `from enable_profiling(save_location = '${out}')`,
    `select * from SYSTEM.main."Enable_Profiling"(save_location = '${out}')`,
    `describe select * from enable_profiling(save_location = '${out}')`,
    `explain analyze from enable_profiling(save_location = '${out}')`,
    `select (select count(*) from enable_profiling(save_location = '${out}'))`,
    `from query('from enable_profiling()')`,
    `from json_execute_serialized_sql(json_serialize_sql('from enable_profiling()'))`,
    `from force_checkpoint()`,
    `from read_csv('${secret}')`,
    `from '${secret}'`,
    `select * from glob('${folder}/*')`,
    `from read_text('/etc/hostname')`,
  ])("that does anything else is refused: %s", async (sql) => {
    await expect(queryTables(tables, sql)).rejects.toMatchObject({ code: "invalid_input" });
    expect(readFileSync(table).equals(before)).toBe(true);
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(["scalars.pq", "secret.csv"]);
  });

  it("says what is wrong with what cannot be parsed", async () => {
    const answer = queryTables(tables, "selekt 1");
    await expect(answer).rejects.toMatchObject({ message: expect.stringMatching(/The query failed: .*selekt/s) });
  });

  it.each([
    ["from range(30000000) order by hash(range)", /needs more than 512 MiB/],
    ["select list(range) from range(200000000)", /needs more than 512 MiB/],
    ["select repeat('x', 50000) || range as t from range(1000000)", /gives more than 512 MiB of rows/],
  ])(
    "ends at a limit of memory, and says so: %s",
    async (sql, message) => {
      await expect(queryTables(tables, sql)).rejects.toMatchObject({
        code: "invalid_input",
        message: expect.stringMatching(message),
      });
    },
    120_000,
  );
});

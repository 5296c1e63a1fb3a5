import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Duck, withDuckDb } from "./duckdb.ts";
import { parquetFacts, parquetRows } from "./parquet-sql.ts";
import { relocateTable } from "./relocate.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "scythe-relocate-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const inDuck = <T>(work: (duck: Duck) => Promise<T>) => withDuckDb({ tempDir: join(scratch, "spill") }, 0, work);

it("moves texts and lists of texts, and keeps rows, types, metadata, row groups and compression", async () => {
  const [before, after] = [join(scratch, "before.pq"), join(scratch, "after.pq")];
  const rows = 5_000;
  const moves = [
    { from: "file:///old/", to: "s3://new/b/" },
    { from: "file:///older/x's ü/", to: "s3://new/c/" },
  ];
  await inDuck(async (duck) => {
    await duck.run(
      `COPY (SELECT ${rows} - i AS sort_index, 'file:///old/' || i AS uri, ['file:///older/x''s ü/é', 'other', NULL] AS uris,
               CASE WHEN i % 2 = 0 THEN NULL ELSE 'see file:///old/' END AS text, i / 3 AS number,
               TIMESTAMP '2026-01-01' + INTERVAL (i) SECOND AS at, {a: 'file:///old/'} AS nested
             FROM range(${rows}) t(i))
       TO '${before}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048, KV_METADATA {pandas: '{"index": "it''s"}', scythe: '{}'})`,
      "test",
    );
    await relocateTable(duck, before, after, moves);
    const whole = await duck.rows(
      `SELECT count(*) AS n, count(*) FILTER (b.uri = replace(a.uri, 'file:///old/', 's3://new/b/')) AS uris,
              count(*) FILTER (b.uris = ['s3://new/c/é', 'other', NULL]) AS lists,
              count(*) FILTER (b.text IS NOT DISTINCT FROM a.text AND b.number = a.number AND b.at = a.at
                               AND b.nested = a.nested AND b.sort_index = a.sort_index) AS others
       FROM ${parquetRows(before)} a POSITIONAL JOIN ${parquetRows(after)} b`,
    );
    expect(whole).toEqual([{ n: 5_000n, uris: 5_000n, lists: 5_000n, others: 5_000n }]);
    const about = (path: string) => [
      `SELECT column_name, column_type FROM (DESCRIBE FROM ${parquetRows(path)})`,
      `SELECT decode(key) AS key, decode(value) AS value FROM ${parquetFacts("kv_metadata", path)} ORDER BY 1`,
      `SELECT DISTINCT row_group_id, row_group_num_rows, compression FROM ${parquetFacts("metadata", path)} ORDER BY 1`,
    ];
    for (const [i, sql] of about(after).entries()) {
      expect(await duck.rows(sql)).toEqual(await duck.rows(about(before)[i]!));
    }
  });
});

it("copies an empty table, and one without moves", async () => {
  await inDuck(async (duck) => {
    const [before, after] = [join(scratch, "empty.pq"), join(scratch, "empty-after.pq")];
    await duck.run(`COPY (SELECT 'a' AS a, 1 AS b LIMIT 0) TO '${before}' (FORMAT parquet)`, "test");
    await relocateTable(duck, before, after, []);
    expect(await duck.rows(`SELECT count(*) AS n FROM ${parquetRows(after)}`)).toEqual([{ n: 0n }]);
    await relocateTable(duck, before, after, [{ from: "a", to: "b" }]);
    expect(await duck.rows(`DESCRIBE FROM ${parquetRows(after)}`)).toHaveLength(2);
  });
});

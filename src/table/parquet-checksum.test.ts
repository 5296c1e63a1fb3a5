import { mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BatchBuilder } from "./batch.ts";
import { withDuckDb } from "./duckdb.ts";
import { addFileChecksum, CHECKSUM_KEY, CHECKSUM_PLACEHOLDER, hasValidChecksum } from "./parquet-checksum.ts";
import { ParquetReader } from "./read-parquet.ts";
import { literal } from "./sql.ts";
import { parquetBytes } from "./write-parquet.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "scythe-seal-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const plain = { nullable: false, optional: false, file: false };
const columns = [
  { name: "a", type: { kind: "float64" as const }, ...plain },
  { name: "b", type: { kind: "string" as const }, ...plain },
];

/** A file as a part is made, with a text in it that looks like a seal. */
async function ourFile(): Promise<string> {
  const rows = new BatchBuilder(columns);
  for (let i = 0; i < 50; i++) rows.append({ a: i, b: i === 7 ? CHECKSUM_PLACEHOLDER : `text ${i}` });
  const path = join(folder, "ours.pq");
  await writeFile(path, parquetBytes(rows.take(), { more: CHECKSUM_PLACEHOLDER }));
  return path;
}

/** A file as DuckDB makes it, with statistics. */
async function duckFile(): Promise<string> {
  const path = join(folder, "duck.pq");
  const sql = `SELECT range AS a, ${literal(CHECKSUM_PLACEHOLDER)} AS b FROM range(5000)`;
  await withDuckDb({}, 1, (duck) =>
    duck.run(
      `COPY (${sql}) TO ${literal(path)} (FORMAT parquet, KV_METADATA {${CHECKSUM_KEY}: ${literal(CHECKSUM_PLACEHOLDER)}})`,
      "x",
    ),
  );
  expect(await hasValidChecksum(path)).toBe(false);
  await addFileChecksum(path);
  return path;
}

describe.each([
  ["a part", ourFile, 50],
  ["what DuckDB wrote", duckFile, 5000],
])("the seal of %s", (_name, make, rows) => {
  it("holds, and the file reads as before", async () => {
    const path = await make();
    expect(await hasValidChecksum(path)).toBe(true);
    const reader = await ParquetReader.open(path);
    expect(reader.rows).toBe(rows);
    reader.close();
  });

  it("breaks with any bit, and with any cut", async () => {
    const path = await make();
    const whole = await readFile(path);
    const { size } = await stat(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(size - 1), fc.nat(7), async (at, bit) => {
        const harmed = Buffer.from(whole);
        harmed[at] = harmed[at]! ^ (1 << bit);
        await writeFile(path, harmed);
        expect(await hasValidChecksum(path)).toBe(false);
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(size - 1), async (length) => {
        await writeFile(path, whole);
        await truncate(path, length);
        expect(await hasValidChecksum(path)).toBe(false);
      }),
    );
  });
});

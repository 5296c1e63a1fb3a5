import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { BatchBuilder } from "./batch.ts";
import { withDuckDb } from "./duckdb.ts";
import { exactly, parquetFacts, parquetRows } from "./parquet-sql.ts";
import { parquetBytes } from "./write-parquet.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-parquet-sql-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const SRC = fileURLToPath(new URL("..", import.meta.url));

const PLAIN = { nullable: false, optional: false, file: false };
const COLUMNS = ["site", "filename", "file_row_number"].map((name) => ({
  name,
  type: { kind: "string" as const },
  ...PLAIN,
}));

function fileIn(name: string, site: string): string {
  mkdirSync(join(folder, name), { recursive: true });
  const builder = new BatchBuilder(COLUMNS);
  builder.append({ site, filename: "own", file_row_number: "own" });
  const path = join(folder, name, "t.pq");
  writeFileSync(path, parquetBytes(builder.take()));
  return path;
}

describe("Parquet in SQL", () => {
  const names = [
    ...["site=boston", "a*b", "**", "x[1]", "x[]a]", "[!a]", "[^]", "q?", "{a,b}", "back\\slash", "back\\*slash"],
    ...["it's", '"quoted"', "sp ace", "ünï 北京", "%20", "$HOME", "~", "a;b", "site=x*/filename=[y]"],
  ];
  it.each(names.map((name) => [name]))("is the file in a folder called %s, and no other", async (name) => {
    for (const decoy of ["ab", "aXb", "x1", "[", "!", "qq", "a"]) fileIn(decoy, "decoy");
    const path = fileIn(name, "own");
    await withDuckDb({}, 1, async (duck) => {
      const row = { site: "own", filename: "own", file_row_number: "own" };
      if (name === "back\\*slash") return expect(() => parquetRows(path)).toThrow(/backslash/);
      expect(await duck.rows(`FROM ${parquetRows(path)}`)).toEqual([row]);
      expect(await duck.rows(`FROM ${parquetRows([path, path])}`)).toEqual([row, row]);
      const facts = await duck.rows(`SELECT file_name FROM ${parquetFacts("file_metadata", path)}`);
      expect(facts).toEqual([{ file_name: path }]);
    });
  });

  it("leaves plain paths as they are", () => {
    expect(exactly("/data/site=boston/it's")).toBe("/data/site=boston/it's");
  });

  it("is written in one place only", () => {
    const sources = (readdirSync(SRC, { recursive: true }) as string[]).filter((path) => path.endsWith(".ts"));
    expect(sources.length).toBeGreaterThan(200);
    const others = sources.filter(
      (path) =>
        !/parquet-sql(\.test)?\.ts$/.test(path) &&
        /\b(read_parquet|parquet_scan|parquet_(file_|kv_)?metadata|parquet_schema)\(/.test(
          readFileSync(join(SRC, path), "utf8"),
        ),
    );
    expect(others).toEqual([]);
  });
});

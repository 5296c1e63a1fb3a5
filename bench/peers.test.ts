import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformWithEsbuild } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ParquetReader } from "../src/table/read-parquet.ts";
import { findPython } from "../test/python.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "scythe-peers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const orbit = join(folder, "orbit.mjs");
beforeAll(async () => {
  const path = here("../examples/orbital-dynamics/orbit.ts");
  writeFileSync(orbit, (await transformWithEsbuild(readFileSync(path, "utf8"), path)).code);
});

const python = findPython("pandas", "pyarrow", "dask.distributed");

/** Runs a peer on 300 specs; the periods that it found. */
async function periods(command: string, ...args: string[]): Promise<number[]> {
  const out = join(folder, `${args.length}-${Math.random()}.parquet`);
  const line = execFileSync(command, [...args, "--specs", "300", "--out", out], { encoding: "utf8" });
  expect(JSON.parse(line)).toMatchObject({ specs: 300 });
  return readPeriods(out);
}

async function readPeriods(path: string): Promise<number[]> {
  const reader = await ParquetReader.open(path);
  const columns = await reader.read(["period_min"], 0, reader.rows);
  reader.close();
  return Array.from(columns.get("period_min") as ArrayLike<number>);
}

describe("benchmark peers do the same work", () => {
  let expected: number[];
  beforeAll(async () => {
    expected = await periods(process.execPath, here("peers/fork-pool.mjs"), "--function", orbit);
  });

  it("as this package", async () => {
    const storage = join(folder, "ours");
    const args = [here("ours.mjs"), "--storage", storage, "--specs", "300"];
    const line = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
    expect(line).toMatchObject({ specs: 300, succeeded: 300 });
    const table = (readdirSync(storage, { recursive: true }) as string[]).find((path) => path.endsWith("scalars.pq"))!;
    expect(await readPeriods(join(storage, table))).toEqual(expected);
  });

  it.skipIf(!python).each(["process_pool.py", "dask_peer.py"])("as %s", async (script) => {
    const found = await periods(python!, here(`peers/${script}`));
    expect(found.length).toBe(300);
    found.forEach((period, i) => {
      expect(Math.abs(period - expected[i]!)).toBeLessThan(1e-9 * expected[i]!);
    });
  });
});

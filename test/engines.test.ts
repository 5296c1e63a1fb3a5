import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AllocateOptions, openProject } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canonicalTables } from "./canonical.ts";

const PROJECT = fileURLToPath(new URL("./fixtures/troubled", import.meta.url));
const specs = Array.from({ length: 150 }, (_, n) => ({
  n,
  ...(n % 50 === 7 ? { bad: "nan" } : n % 60 === 9 ? { bad: "file" } : {}),
}));

async function tablesOf(storage: string, engine: string, slots: number, options: AllocateOptions) {
  await using scythe = await openProject(PROJECT, { storage, engine, ...(engine === "local" ? { slots } : {}) });
  const run = await scythe.allocate("quick", specs, { seed: 11, ...options });
  const results = await run.result();
  expect(results.report).toMatchObject({ allocated: 150, succeeded: 147, failed: 3, missing: 0 });
  return canonicalTables(results);
}

describe("the same specs and seed give equal tables", () => {
  const storage = mkdtempSync(join(tmpdir(), "scythe-engines-"));
  let expected: Record<string, unknown[]>;
  beforeAll(async () => {
    expected = await tablesOf(storage, "inline", 1, {});
  });
  afterAll(() => rmSync(storage, { recursive: true, force: true }));

  it("in order of sort_index, with every row", () => {
    const indexes = expected.scalars!.map((row) => (row as { sort_index: number }).sort_index);
    expect(indexes).toEqual(specs.filter(({ n }) => n % 50 !== 7).map(({ n }) => n));
    expect(expected.result_file_refs).toHaveLength(147);
  });

  const shapes: [string, number, AllocateOptions][] = [
    ["two slots", 2, {}],
    ["one slot, chunks of one", 1, { chunkSize: 1 }],
    ["chunks of seven", 2, { chunkSize: 7 }],
    ["factor 3, depth 2", 2, { recursion: { factor: 3, maxDepth: 2 } }],
    ["factor 2, depth 6 on one slot", 1, { recursion: { factor: 2, maxDepth: 6 } }],
    ["more children than specs", 2, { recursion: { factor: 200, maxDepth: 1 } }],
  ];
  it.each(shapes)("on the local engine: %s", async (_name, slots, options) => {
    expect(await tablesOf(storage, "local", slots, options)).toEqual(expected);
  });
});

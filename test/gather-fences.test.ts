import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig, defineExperiment, localStorage, openProject, type Storage } from "scythe-ts";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { memoryStorage } from "../src/storage/memory.ts";
import { withDuckDb } from "../src/table/duckdb.ts";
import { parquetRows } from "../src/table/parquet-sql.ts";
import { literal } from "../src/table/sql.ts";
import { collect } from "./collect.ts";
import { watchedStorage } from "./watched-storage.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-fences-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const local = () => localStorage(mkdtempSync(join(folder, "local-")));
const TREE = { seed: 1, chunkSize: 3, recursion: { factor: 2, maxDepth: 1 } };

let calls = 0;
/** Gives another value at each call: who wrote a row can be seen. */
const counting = defineExperiment({
  name: "counting",
  input: z.object({ n: z.int(), fails: z.boolean().default(false) }),
  output: z.object({ call: z.number() }),
  retries: 0,
  run({ fails }) {
    if (fails && calls < 1_000) throw new Error("not yet");
    return { call: ++calls };
  },
});
const config = defineConfig({ experiments: [counting] });
const specs = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));
const open = (storage: Storage) => openProject(config, { storage });

async function contents(storage: Storage, kind: RegExp): Promise<Map<string, string>> {
  const found = (await collect(storage.list(""))).filter(({ key }) => kind.test(key));
  return new Map(found.map(({ key, etag }) => [key, etag]));
}

const places: [string, () => Storage][] = [
  ["a folder", local],
  ["a storage without local files", () => memoryStorage()],
];
describe.each(places)("in %s, a driver that writes late", (_, makeStorage) => {
  it.each([
    ["a part", /\/parts\/.*\.pq$/],
    ["gathered rows", /\/gathered\/.*rows\.pq$/],
  ])("does not replace %s by its own", async (_what, kind) => {
    const inner = makeStorage();
    let wake!: () => void;
    let reached!: () => void;
    const asleep = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let paused = false;
    const storage = watchedStorage(inner, async (step, key) => {
      if (paused || !step.startsWith("put") || !kind.test(key)) return;
      paused = true; // its epoch was looked at; all that is left is the write
      reached();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    });
    await using scythe = await open(storage);
    const run = await scythe.allocate(counting, specs(12), TREE);
    const ended = run.result().catch((error: unknown) => error);
    await asleep;
    await using other = await open(inner);
    await (await other.resume(run.experimentId, { takeOver: true })).result();
    const before = await contents(inner, kind);
    expect(before.size).toBeGreaterThan(1);
    wake();
    await ended;
    await scythe.close();
    expect(await contents(inner, kind)).toEqual(before);
  });
});

it("parts that cover all specs, but not each once, are not merged", async () => {
  const inner = memoryStorage();
  const stopped = watchedStorage(inner, (step, key) => {
    if (step.startsWith("put") && key.includes("/final/")) throw new Error("killed here");
  });
  await using first = await open(stopped);
  const run = await first.allocate(counting, specs(9), { chunkSize: 3 });
  await expect(run.result()).rejects.toThrow();
  const [one, two] = [...(await contents(inner, /\/parts\//)).keys()] as [string, string];
  await inner.put(two, (await inner.get(one)).body);
  await using scythe = await open(inner);
  const again = await scythe.resume(run.experimentId, { takeOver: true });
  await expect(again.result()).rejects.toThrow(/has 9 rows for 9 specs, or rows of the wrong specs/);
  expect(await contents(inner, /\/final\/|report\.yml/)).toEqual(new Map());
});

it("finished tables that a retry goes on from must be whole with its rows", async () => {
  const storage = local();
  calls = 0;
  await using scythe = await open(storage);
  const given = specs(6).map((spec) => ({ ...spec, fails: spec.n === 4 }));
  const run = await scythe.allocate(counting, given);
  const id = run.experimentId;
  expect((await run.result()).report).toMatchObject({ succeeded: 5, failed: 1 });
  calls = 1_000;
  // an earlier try of the retry's merge, which got as far as to replace the scalars, had lost a row
  const scalars = storage.localPath!(`${id}/final/scalars.pq`);
  const forged = join(folder, "forged.pq");
  await withDuckDb({}, 0, (duck) =>
    duck.run(
      `COPY (FROM ${parquetRows(scalars)} WHERE n <> 2) TO ${literal(forged)}
       (FORMAT parquet, KV_METADATA {scythe: ${literal(JSON.stringify({ experiment_id: id, generation: 1 }))}})`,
      "test",
    ),
  );
  await storage.putFile(`${id}/final/scalars.pq`, forged);
  const retried = (await scythe.retry(id))!;
  await expect(retried.result()).rejects.toThrow(/would have 5 rows for 6 specs, or rows of the wrong specs/);
});

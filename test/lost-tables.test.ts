import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig, defineExperiment, fileRef, localStorage, openProject, type Storage, table } from "scythe-ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { memoryStorage } from "../src/storage/memory.ts";
import { canonicalTables } from "./canonical.ts";
import { collect } from "./collect.ts";
import { watchedStorage } from "./watched-storage.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-lost-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const noted = defineExperiment({
  name: "noted",
  input: z.object({ n: z.number().int() }),
  output: z.object({ y: z.number(), note: fileRef().optional() }),
  tables: { steps: table(z.object({ step: z.number().int() })) },
  retries: 0,
  async run({ n }, ctx) {
    if (n % 5 === 3) throw new Error(`no ${n}`);
    const { writeFileSync } = await import("node:fs");
    if (n % 4 === 0) writeFileSync(join(ctx.tempDir, "note.txt"), `${n}`);
    const steps = Array.from({ length: n % 3 }, (_, step) => ({ step: step + n }));
    return { y: 2 * n, ...(n % 4 === 0 ? { note: "note.txt" } : {}), tables: { steps } };
  },
});
const SPECS = Array.from({ length: 24 }, (_, n) => ({ n }));
const OPTIONS = { seed: 1, chunkSize: 3, recursion: { factor: 2, maxDepth: 1 } };
const config = defineConfig({ experiments: [noted] });

/** A run whose driver dies when it is about to write what fits. */
async function stopped(inner: Storage, at: RegExp): Promise<string> {
  const storage = watchedStorage(inner, (step, key) => {
    if (step.startsWith("put") && at.test(key)) throw new Error("killed here");
  });
  await using scythe = await openProject(config, { storage });
  const run = await scythe.allocate(noted, SPECS, OPTIONS);
  await expect(run.result()).rejects.toThrow();
  return run.experimentId;
}

async function finished(storage: Storage, id: string) {
  await using scythe = await openProject(config, { storage });
  const run = await scythe.resume(id, { takeOver: true });
  return canonicalTables(await run.result());
}

const places: [string, () => Storage][] = [
  ["a folder", () => localStorage(mkdtempSync(join(folder, "local-")))],
  ["a storage without local files", () => memoryStorage()],
];

describe.each(places)("in %s", (_, makeStorage) => {
  let calm: Record<string, unknown[]>;
  beforeAll(async () => {
    await using scythe = await openProject(config, { storage: makeStorage() });
    calm = await canonicalTables(await (await scythe.allocate(noted, SPECS, OPTIONS)).result());
    expect(calm.steps!.length).toBeGreaterThan(15);
  });

  const lost: [string, RegExp, RegExp][] = [
    ["a part's table", /gathered\/.*\.pq$/, /tables\/steps\/.*\.pq$/],
    ["a part's errors", /gathered\/.*\.pq$/, /tables\/errors\/.*\.pq$/],
    ["a part's record of files", /gathered\/.*\.pq$/, /tables\/_files\/.*\.pq$/],
    ["a gathered table", /\/final\//, /gathered\/.*\/steps\..*\.pq$/],
    ["gathered errors", /\/final\//, /gathered\/.*\/errors\..*\.pq$/],
    ["a gathered record of files", /\/final\//, /gathered\/.*\/_files\..*\.pq$/],
  ];
  it.each(lost)("%s: all that are lost are made anew", async (_name, at, key) => {
    const storage = makeStorage();
    const id = await stopped(storage, at);
    const keys = (await collect(storage.list(""))).filter((info) => key.test(info.key));
    expect(keys.length).toBeGreaterThan(0);
    await storage.delete(keys.map((info) => info.key));
    expect(await finished(storage, id)).toEqual(calm);
  });

  it("a table that is lost at the merge is named, and made anew by the next driver", async () => {
    const inner = makeStorage();
    let looks = 0;
    const storage = watchedStorage(inner, async (step, prefix) => {
      if (step !== "list" || !/recurse\/1\/000001\/parts\/$/.test(prefix)) return;
      if ((await collect(inner.list(prefix))).length < 4 || ++looks !== 2) return; // the first look was before the merge
      const tables = (await collect(inner.list(""))).filter(({ key }) => /000001\/tables\/steps\//.test(key));
      await inner.delete([tables.at(-1)!.key]);
    });
    await using scythe = await openProject(config, { storage });
    const run = await scythe.allocate(noted, SPECS, OPTIONS);
    await expect(run.result()).rejects.toThrow(/steps\/.* is missing, though .*\/parts\/.* names it/);
    expect(await finished(inner, run.experimentId)).toEqual(calm);
  });

  it("a final table that is lost is named by whoever reads the run", async () => {
    const storage = makeStorage();
    await using scythe = await openProject(config, { storage });
    const run = await scythe.allocate(noted, SPECS, OPTIONS);
    const results = await run.result();
    await storage.delete([`${run.experimentId}/final/result_file_refs.pq`]);
    await expect(collect(results.rows())).rejects.toThrow(/result_file_refs.pq is missing, though report.yml names it/);
    await expect(results.query("SELECT 1")).rejects.toThrow(/is missing/);
    expect((await scythe.audit.verify(run.experimentId)).result).toBe("failed");
    await expect((await scythe.retry(run.experimentId))!.result()).rejects.toThrow(/result_file_refs.pq is missing/);
  });
});

it("rows are removed before the tables that they name", async () => {
  const inner = localStorage(mkdtempSync(join(folder, "order-")));
  const id = await stopped(inner, /\/final\//);
  const keys = (await collect(inner.list(""))).map(({ key }) => key);
  const steps = keys.find((key) => /gathered\/.*\/steps\./.test(key))!;
  await inner.put(steps, "damaged");
  const removed: string[] = [];
  const storage = watchedStorage(inner, (step, key) => void (step === "delete" && removed.push(key)));
  await finished(storage, id);
  expect(
    removed.map((key) => key.replace(/\.[0-9a-f]{8}\.pq$/, ".pq")).map((key) => key.slice(key.lastIndexOf("/"))),
  ).toEqual(["/rows.pq", "/steps.pq"]);
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig, defineExperiment, localStorage, openProject, table } from "scythe-ts";
import { afterAll, expect, it } from "vitest";
import { z } from "zod";
import { specsFromFlags } from "../src/cli/spec-flags.ts";
import { addChecksum, withoutChecksum } from "../src/run/checksum.ts";
import { collect } from "./collect.ts";
import { watchedStorage } from "./watched-storage.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-unions-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tuned = defineExperiment({
  name: "tuned",
  input: z.object({
    mode: z.union([z.number(), z.literal("auto"), z.boolean()]),
    limit: z.union([z.number(), z.literal("none")]).optional(),
  }),
  output: z.object({ kind: z.string() }),
  tables: { steps: table(z.object({ step: z.int() })) },
  retries: 0,
  run({ mode }) {
    if (mode === 13) throw new Error("unlucky");
    return { kind: typeof mode, tables: { steps: [{ step: 1 }] } };
  },
});

it("inputs of several plain kinds are JSON text in every table, and their values in rows", async () => {
  await using scythe = await openProject(defineConfig({ experiments: [tuned] }), { storage: localStorage(folder) });
  const specs = specsFromFlags(tuned, { grid: ["mode=1,auto,true,13"], set: ["limit=2.5"] });
  const run = await scythe.allocate(tuned, specs as never);
  const results = await run.result();
  const rows = await collect(results.rows());
  expect(rows.map(({ mode, limit, kind }) => [mode, limit, kind])).toEqual([
    [1, 2.5, "number"],
    ["auto", 2.5, "string"],
    [true, 2.5, "boolean"],
  ]);
  expect(await results.query("SELECT mode, count(*) AS n FROM scalars GROUP BY mode ORDER BY mode")).toEqual([
    { mode: '"auto"', n: 1 },
    { mode: "1", n: 1 },
    { mode: "true", n: 1 },
  ]);
  expect(await results.query("SELECT mode, step FROM steps WHERE mode = '1'")).toEqual([{ mode: "1", step: 1 }]);
  expect((await collect(results.errors())).map(({ mode, kind }) => [mode, kind])).toEqual([[13, "error"]]);
  expect((await scythe.audit.verify(run.experimentId)).problems).toEqual([]);
  const more = await (await scythe.extend(run.experimentId, [{ mode: "auto" }])).result();
  expect(await more.query('SELECT mode, "limit" FROM scalars ORDER BY sort_index DESC LIMIT 2')).toEqual([
    { mode: '"auto"', limit: null },
    { mode: "true", limit: "2.5" },
  ]);
});

it("a run of an earlier version, whose tables lack them, is driven on, verified and retried as it is", async () => {
  const storage = localStorage(mkdtempSync(join(folder, "earlier-")));
  const killed = watchedStorage(storage, (step, key) => {
    if (step === "put" && key.includes("/waves/")) throw new Error("killed here");
  });
  await using scythe = await openProject(defineConfig({ experiments: [tuned] }), { storage: killed });
  const run = await scythe.allocate(tuned, [{ mode: 1 }, { mode: 13 }]);
  const id = run.experimentId;
  await expect(run.result()).rejects.toThrow();
  // as an earlier version would have begun it
  const manifest = storage.localPath!(`${id}/manifest.yml`);
  writeFileSync(manifest, earlier(readFileSync(manifest, "utf8")));
  await using again = await openProject(defineConfig({ experiments: [tuned] }), { storage });
  const results = await (await again.resume(id, { takeOver: true })).result();
  expect(await results.query("SELECT column_name FROM (DESCRIBE scalars) WHERE column_name = 'mode'")).toEqual([]);
  expect((await again.audit.verify(id)).problems).toEqual([]);
  expect((await (await again.retry(id))!.result()).report).toMatchObject({ succeeded: 1, failed: 1, generation: 1 });
  expect((await again.audit.verify(id)).problems).toEqual([]);
});

function earlier(text: string): string {
  const without = withoutChecksum(text).replace(/^ *union_columns: true\n/m, "");
  expect(without).not.toBe(withoutChecksum(text));
  return addChecksum(without);
}

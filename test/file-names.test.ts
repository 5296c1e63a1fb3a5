import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineExperiment, fileRef, openProject } from "scythe-ts";
import { afterAll, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { collect } from "./collect.ts";

const folder = mkdtempSync(join(tmpdir(), "scythe-file-names-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const reader = defineExperiment({
  name: "reader",
  input: z.object({ source: fileRef() }),
  output: z.object({ text: z.string() }),
  run: ({ source }) => ({ text: readFileSync(source, "utf8") }),
});

it("a file whose name no key can have keeps it in the run's records, also in one that extends it", async () => {
  const names = ["北京.txt", "Zürich 2.txt", "plain.txt", ".env"];
  const paths = names.map((name) => join(folder, name));
  for (const path of paths) writeFileSync(path, path);
  await using scythe = await openProject({ experiments: [reader] }, { storage: join(folder, "data") });
  const run = await scythe.allocate(
    reader,
    paths.map((source) => ({ source })),
  );
  const rows = await collect((await run.result()).rows());
  expect(rows.map(({ text }) => text)).toEqual(paths);
  const kept = (await scythe.audit.lineage(run.experimentId)).artifacts.map(({ path, name }) => [
    path.split("/").at(-1),
    name,
  ]);
  expect(kept).toEqual([
    ["__.txt", "北京.txt"],
    ["Z_rich_2.txt", "Zürich 2.txt"],
    ["plain.txt", null],
    ["file-.env", ".env"],
  ]);

  const extended = await scythe.extend(run.experimentId, [{ source: paths[0]! }]);
  await extended.result();
  const record = join(fileURLToPath(extended.uri), "input_artifacts.yml");
  expect(Object.values(parse(readFileSync(record, "utf8")).names).sort()).toEqual(
    [".env", "Zürich 2.txt", "北京.txt"].sort(),
  );
  expect((await scythe.audit.verify(extended.experimentId)).problems).toEqual([]);
});

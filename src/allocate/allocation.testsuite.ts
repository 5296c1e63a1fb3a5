import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { z } from "zod";
import type { AnyExperiment } from "../experiment/define.ts";
import { defineExperiment } from "../experiment/define.ts";
import type { Storage } from "../storage/storage.ts";
import { listAll } from "../storage/storage.ts";
import { ParquetReader, readRows } from "../table/read-parquet.ts";
import { type AllocatedRun, allocateRun } from "./allocate.ts";
import type { AllocateOptions } from "./options.ts";

/** A folder for the tests of one file, removed after them. */
export function scratchFolder(): { readonly path: string } {
  const folder = { path: "" };
  beforeAll(async () => {
    folder.path = await mkdtemp(join(tmpdir(), "scythe-allocation-"));
  });
  afterAll(() => rm(folder.path, { recursive: true, force: true }));
  return folder;
}

export function experimentOf<S extends z.ZodObject>(input: S, name = "study") {
  return defineExperiment({ name, input, output: z.object({ y: z.number() }), run: () => ({ y: 1 }) });
}

export const study = experimentOf(z.object({ n: z.number().min(0), text: z.string().optional() }));

/** Allocates without a project. */
export const allocate = (
  storage: Storage,
  specs: unknown,
  options: AllocateOptions = {},
  experiment: AnyExperiment = study,
): Promise<AllocatedRun> =>
  allocateRun(storage, experiment, specs, options, { folder: tmpdir(), fetchUri: async (uri) => uri });

export const keysOf = async (storage: Storage): Promise<string[]> => (await listAll(storage, "")).map(({ key }) => key);

/** The rows of `specs.pq`, as workers read them. */
export async function specsOf(
  storage: Storage,
  { layout, manifest }: AllocatedRun,
  experiment: AnyExperiment = study,
  folder = tmpdir(),
): Promise<Record<string, unknown>[]> {
  const path = join(folder, `${manifest.workflow_run_id}.pq`);
  await storage.getFile(layout.specs, path);
  const reader = await ParquetReader.open(path);
  try {
    const plain = { nullable: true, optional: true, file: false };
    const columns = [
      { name: "sort_index", type: { kind: "int64" as const }, ...plain },
      ...experiment.columns.input,
      ...manifest.scythe!.extra_columns,
    ];
    const rows: Record<string, unknown>[] = [];
    for await (const row of readRows(reader, columns)) rows.push(row);
    return rows;
  } finally {
    reader.close();
    await rm(path, { force: true });
  }
}

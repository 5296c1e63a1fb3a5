import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { ScytheError } from "../errors.ts";
import type { NodePath, RunLayout } from "../run/layout.ts";
import { assertEpoch } from "../run/state.ts";
import type { Storage } from "../storage/storage.ts";
import { withDuckDb } from "../table/duckdb.ts";
import { literal, literalList } from "../table/sql.ts";
import { writeFinal } from "./final.ts";
import { localCopy } from "./local-copy.ts";
import { rowGroupOptions } from "./row-groups.ts";
import type { NodeTask, TreeSettings } from "./run-task.ts";
import { ATTEMPT_KEY, type GatherSources, gatherSources, type Merge } from "./sources.ts";
import { nodeSize } from "./tree.ts";

/** MiB of buffers that a merge may take, whatever the number of rows; sorting spills to disk beyond. */
const MEMORY_MB = 384;

/** A node below the root is gathered once its rows stand: they are written last. */
export async function isGathered(
  storage: Storage,
  layout: RunLayout,
  path: NodePath,
  generation: number,
): Promise<boolean> {
  return (await storage.head(layout.gathered(path, generation))) !== undefined;
}

/** Merges a node's children; at the root, writes `final/` and the report. */
export async function mergeNode(settings: TreeSettings, task: NodeTask): Promise<Record<string, number>> {
  const run = await settings.runs.get(task.experiment_id);
  await assertEpoch(settings.storage, run.layout, task.epoch);
  await mkdir(settings.scratch, { recursive: true });
  const folder = await mkdtemp(join(settings.scratch, "gather-"));
  const size = nodeSize(run.details.spec_count, task.path);
  try {
    return await settings.memory.use(MEMORY_MB, (memoryMb) =>
      withDuckDb({ tempDir: join(folder, "spill"), memoryMb }, size, async (duck) => {
        const merge: Merge = { settings, run, task, duck, folder, memoryMb, attempt: randomUUID().slice(0, 8) };
        const sources = await gatherSources(merge);
        await assertComplete(merge, sources);
        if (task.path.length === 0) return writeFinal(merge, sources);
        await writeGathered(merge, sources);
        return {};
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The good rows last, and once: they say that the node is gathered, and by which attempt. */
async function writeGathered(merge: Merge, sources: GatherSources): Promise<void> {
  const { settings, run, task, attempt } = merge;
  const { storage } = settings;
  for (const [table, files] of Object.entries(sources.tables)) {
    if (files.length === 0) continue;
    const key = run.layout.gatheredTable(task.path, task.generation, table, attempt);
    await storage.putFile(key, await concatenated(merge, sources, table, files), { move: true });
  }
  const rows = await concatenated(merge, sources, "rows", sources.rows);
  await assertEpoch(storage, run.layout, task.epoch);
  await storage.putFile(run.layout.gathered(task.path, task.generation), rows, { ifAbsent: true, move: true });
}

async function concatenated(
  { duck, folder, memoryMb, attempt }: Merge,
  sources: GatherSources,
  table: string,
  files: readonly string[],
): Promise<string> {
  const target = join(folder, `${table}.gathered.pq`);
  const rowGroups = await rowGroupOptions(duck, files, memoryMb);
  await duck.run(
    `COPY (SELECT * FROM read_parquet(${literalList(files)}) ${sources.ordered ? "" : "ORDER BY sort_index"})
     TO ${literal(target)} (FORMAT parquet, ${rowGroups}, KV_METADATA {${ATTEMPT_KEY}: ${literal(attempt)}})`,
    `Could not merge ${table}`,
  );
  return target;
}

/**
 * Every spec must be there once, as a good row or as a failed one. Compared without holding them: equal counts, and
 * equal sums of the hashes of all `sort_index`.
 * @throws ScytheError `internal`
 */
async function assertComplete({ settings, run, task, duck, folder }: Merge, sources: GatherSources): Promise<void> {
  const specs = await localCopy(settings.storage, run.layout.nodeSpecs(task.path), folder);
  const failed = sources.tables.errors!;
  const there = [sources.rows, ...(failed.length > 0 ? [failed] : [])]
    .map((files) => `SELECT CAST(sort_index AS BIGINT) AS i FROM read_parquet(${literalList(files)})`)
    .join(" UNION ALL ");
  const print = (from: string) => `SELECT count(*) AS n, CAST(sum(hash(i)) AS VARCHAR) AS h FROM (${from})`;
  const [expected] = await duck.rows(print(`SELECT sort_index AS i FROM read_parquet(${literal(specs)})`));
  const [found] = await duck.rows(print(there));
  if (expected!.n === found!.n && expected!.h === found!.h) return;
  throw new ScytheError(
    "internal",
    `Run ${run.layout.experimentId} has ${found!.n} rows for ${expected!.n} specs, or not each spec's once`,
    { hint: "Nothing was written to final/. Please report this with the run's scatter-gather/ folder." },
  );
}

import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { ScytheError } from "../../errors.ts";
import type { NodePath } from "../../run/layout.ts";
import { readReport } from "../../run/report.ts";
import { assertEpoch, updateState } from "../../run/state.ts";
import { localCopy } from "../../storage/local-copy.ts";
import type { Storage } from "../../storage/storage.ts";
import { withDuckDb } from "../../table/duckdb.ts";
import { addFileChecksum, CHECKSUM_KEY, CHECKSUM_PLACEHOLDER } from "../../table/parquet-checksum.ts";
import { parquetRows } from "../../table/parquet-sql.ts";
import { literal } from "../../table/sql.ts";
import { type NodeTask, nodeSpecs, type RunInfo, type TreeSettings } from "../run-task.ts";
import { nodeSize } from "../tree.ts";
import { copyRows } from "./copy-rows.ts";
import { writeFinal } from "./final.ts";
import { reconcileCounts } from "./reconcile-counts.ts";
import { sideTablesMetadata } from "./side-tables.ts";
import { type GatherSources, gatherSources, type Merge } from "./sources.ts";

/** MiB of memory for a merge, whatever the number of rows; sorting spills to disk beyond it. */
const MEMORY_MB = 384;

/** Merges a node's children; at the root, writes `final/` and the report. */
export async function mergeNode(settings: TreeSettings, task: NodeTask): Promise<Record<string, number>> {
  const run = await settings.runs.get(task);
  await assertEpoch(settings.storage, run.layout, task.epoch);
  if (task.path.length === 0 && (await isReported(settings.storage, run))) return settleReported(settings, run, task);
  await mkdir(settings.scratch, { recursive: true });
  const folder = await mkdtemp(join(settings.scratch, "gather-"));
  const rows = mergedRows(run, task.path);
  try {
    return await settings.memory.use(MEMORY_MB, (memoryMb) =>
      withDuckDb({ tempDir: join(folder, "spill"), memoryMb }, rows, async (duck) => {
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

/**
 * Writes side tables first, the rows last and once: their presence says that the node is gathered, and by which
 * attempt.
 */
async function writeGathered(merge: Merge, sources: GatherSources): Promise<void> {
  const { settings, run, task, attempt } = merge;
  const { storage } = settings;
  const tables = Object.entries(sources.tables).filter(([, files]) => files.length > 0);
  for (const [table, files] of tables) {
    const key = run.layout.gatheredTable(task.path, task.generation, table, attempt);
    await storage.putFile(key, await concatenated(merge, sources, table, files), { move: true });
  }
  const names = sideTablesMetadata(
    attempt,
    tables.map(([table]) => table),
  );
  const rows = await concatenated(merge, sources, "rows", sources.rows, names);
  await assertEpoch(storage, run.layout, task.epoch);
  await storage.putFile(run.layout.gathered(task.path, task.generation), rows, { ifAbsent: true, move: true });
}

async function concatenated(
  merge: Merge,
  sources: GatherSources,
  table: string,
  files: readonly string[],
  metadata: Record<string, string> = {},
): Promise<string> {
  const target = join(merge.folder, `${table}.gathered.pq`);
  const pairs = Object.entries({ ...metadata, [CHECKSUM_KEY]: CHECKSUM_PLACEHOLDER }).map(
    ([key, value]) => `${key}: ${literal(value)}`,
  );
  await copyRows(merge, {
    select: `SELECT * FROM ${parquetRows(files)}`,
    from: [files],
    target,
    what: `Could not merge ${table}`,
    order: sources.ordered ? undefined : "sort_index",
    metadata: `{${pairs.join(", ")}}`,
  });
  await addFileChecksum(target);
  return target;
}

/** Approximate number of rows that a merge handles; at the root of a later generation it includes the previous ones. */
function mergedRows(run: RunInfo, path: NodePath): number {
  return path.length === 0 ? run.details.spec_count : nodeSize(run.count, path);
}

/** True when the generation's report exists: its driver may have died between writing report and state. */
export async function isReported(storage: Storage, { layout, generation }: RunInfo): Promise<boolean> {
  const report = await readReport(storage, layout);
  return report !== undefined && report.generation >= generation;
}

async function settleReported(settings: TreeSettings, run: RunInfo, task: NodeTask): Promise<Record<string, number>> {
  await updateState(settings.storage, run.layout, (state) =>
    state.epoch === task.epoch ? { status: "complete" } : undefined,
  );
  const { succeeded, failed } = (await readReport(settings.storage, run.layout))!;
  return { succeeded, failed };
}

/**
 * Checks that every spec has exactly one row, succeeded or failed.
 * @throws ScytheError `internal`
 */
async function assertComplete({ settings, run, task, duck, folder }: Merge, sources: GatherSources): Promise<void> {
  const specs = await localCopy(settings.storage, nodeSpecs(run, task.path), folder);
  const { balanced, ...counts } = await reconcileCounts(duck, specs, [sources.rows, sources.tables.errors!]);
  if (balanced) return;
  throw new ScytheError(
    "internal",
    `Run ${run.layout.experimentId} has ${counts.rows} rows for ${counts.specs} specs, or rows of the wrong specs`,
    { hint: "Nothing was written to final/. Please report this with the run's scatter-gather/ folder." },
  );
}

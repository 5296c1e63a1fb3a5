import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { SPECS_ROW_GROUP } from "../allocate/publish.ts";
import type { NodePath } from "../run/layout.ts";
import { localCopy } from "../storage/local-copy.ts";
import { type Duck, withDuckDb } from "../table/duckdb.ts";
import { addFileChecksum, CHECKSUM_KEY, CHECKSUM_PLACEHOLDER } from "../table/parquet-checksum.ts";
import { parquetRows } from "../table/parquet-sql.ts";
import { literal } from "../table/sql.ts";
import { removeDamagedGathered, removeDamagedSlice } from "./repair.ts";
import { type NodeTask, nodeSpecs, type RunInfo, type TreeSettings } from "./run-task.ts";
import { childPaths, nodeSize } from "./tree.ts";

/** MiB of memory for splitting a node's specs: rows stream through. */
const SPLIT_MB = 128;

/**
 * The children of a splitting node that are not gathered yet. Each child's specs are written before the child is
 * dispatched; damaged files of a child are removed and made again.
 */
export async function unfinishedChildren(settings: TreeSettings, run: RunInfo, task: NodeTask): Promise<NodeTask[]> {
  const children = childPaths(task.path, run.details.recursion.factor);
  const states = await Promise.all(
    children.map(async (path) => {
      const gathered = await isGathered(settings, run, path, task.generation);
      return { path, gathered, sliced: gathered || (await isSliced(settings, run, path)) };
    }),
  );
  const unsliced = states.filter((state) => !state.sliced).map((state) => state.path);
  if (unsliced.length > 0) await writeSlices(settings, run, task.path, unsliced);
  return states.filter((state) => !state.gathered).map(({ path }) => ({ ...task, path }));
}

async function isGathered(settings: TreeSettings, run: RunInfo, path: NodePath, generation: number): Promise<boolean> {
  const rows = await settings.storage.head(run.layout.gathered(path, generation));
  return rows !== undefined && !(await removeDamagedGathered(settings, run, path, generation, rows));
}

async function isSliced(settings: TreeSettings, run: RunInfo, path: NodePath): Promise<boolean> {
  const key = nodeSpecs(run, path);
  if (!(await settings.storage.head(key))) return false;
  return !(await removeDamagedSlice(settings, run, path, key));
}

async function writeSlices(
  settings: TreeSettings,
  run: RunInfo,
  parent: NodePath,
  children: readonly NodePath[],
): Promise<void> {
  const { storage, scratch } = settings;
  const folder = await mkdtemp(join(scratch, "slices-"));
  try {
    const source = await localCopy(storage, nodeSpecs(run, parent), folder);
    const writeSlice = async (duck: Duck, path: NodePath) => {
      const { factor, offset } = path.at(-1)!;
      const target = join(folder, `${offset}.pq`);
      await duck.run(
        `COPY (FROM ${parquetRows(source)} QUALIFY (row_number() OVER () - 1) % ${factor} = ${offset})
         TO ${literal(target)} (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE ${SPECS_ROW_GROUP},
           KV_METADATA {${CHECKSUM_KEY}: ${literal(CHECKSUM_PLACEHOLDER)}})`,
        "Could not split the specs",
      );
      await addFileChecksum(target);
      await storage.putFile(nodeSpecs(run, path), target, { ifAbsent: true, move: true });
    };
    await settings.memory.use(SPLIT_MB, (memoryMb) =>
      withDuckDb({ tempDir: join(folder, "spill"), memoryMb }, nodeSize(run.count, parent), async (duck) => {
        for (const path of children) await writeSlice(duck, path);
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

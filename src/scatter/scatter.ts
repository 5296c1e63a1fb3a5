import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { SPECS_ROW_GROUP } from "../allocate/publish.ts";
import type { Settled, TaskContext, Wave } from "../engine/engine.ts";
import { isScytheError, ScytheError } from "../errors.ts";
import type { NodePath } from "../run/layout.ts";
import { assertEpoch } from "../run/state.ts";
import { localCopy } from "../storage/local-copy.ts";
import { type Duck, withDuckDb } from "../table/duckdb.ts";
import { SEAL_KEY, sealFile, UNSEALED } from "../table/parquet-seal.ts";
import { parquetRows } from "../table/parquet-sql.ts";
import { literal } from "../table/sql.ts";
import { fixedWave, type Measured, measuredWave, probeWave } from "./chunks.ts";
import { checkInputs, removeDamagedGathered, removeDamagedParts, removeDamagedSlice } from "./damage.ts";
import { isReported } from "./gather/gather.ts";
import { latestWave, listParts, type RecordedWave, recordWave } from "./plan.ts";
import {
  type LeafResult,
  type LeafTask,
  type NodeTask,
  nodeSpecs,
  type RunInfo,
  type TreeSettings,
} from "./run-task.ts";
import { childPaths, disjoint, nodeSize, type Range, splits, subtract } from "./tree.ts";

type SettledLeaf = Settled<LeafTask, LeafResult>;

/** MiB of buffers for splitting a node's specs: rows stream through. */
const SPLIT_MB = 128;

/**
 * The next wave of a node: its children while it splits, else chunks of specs that have no part yet. Everything is
 * read from storage, so that it does not matter who asked before.
 */
export async function expandNode(
  settings: TreeSettings,
  task: NodeTask,
  settled: readonly SettledLeaf[],
  context: TaskContext,
): Promise<Wave<NodeTask, LeafTask>> {
  const run = await settings.runs.get(task);
  await assertEpoch(settings.storage, run.layout, task.epoch);
  if (task.path.length === 0 && (await isReported(settings.storage, run))) return {};
  if (task.path.length === 0) await checkInputs(settings.storage, run);
  const { recursion, chunk_size } = run.details;
  const size = nodeSize(run.count, task.path);
  if (splits(size, task.path.length, recursion, chunk_size ?? 1)) {
    return { nodes: await unfinishedChildren(settings, run, task) };
  }
  const parts = await listParts(settings.storage, run.layout, task.path, task.generation);
  const wave = await latestWave(settings.storage, run.layout, task.path, task.generation);
  const open = wave?.ranges.filter((range) => !parts.some((part) => part.from === range.from)) ?? [];
  if (wave && open.length > 0) {
    throwIfHopeless(open, settled);
    return { leaves: leavesOf(run, task, { ...wave, ranges: open }) };
  }
  const todo = subtract({ from: 0, to: size }, disjoint(parts, size));
  if (todo.length === 0) {
    const damaged = await removeDamagedParts(settings, run, task, parts);
    return damaged ? expandNode(settings, task, settled, context) : {};
  }
  const next = nextWave(todo, measure(settled), run, task, context);
  const number = (wave?.number ?? -1) + 1;
  const recorded = await recordWave(settings.storage, run.layout, task.path, task.generation, number, next, task.epoch);
  return { leaves: leavesOf(run, task, recorded) };
}

function nextWave(
  todo: readonly Range[],
  measured: Measured | undefined,
  run: RunInfo,
  task: NodeTask,
  context: TaskContext,
) {
  if (run.details.chunk_size !== null) return fixedWave(todo, run.details.chunk_size);
  const alone = task.path.length === 0; // below a root, its siblings fill the other slots
  const slots = alone ? context.capacity : 1;
  return measured ? measuredWave(todo, measured, slots) : probeWave(todo, slots);
}

function measure(settled: readonly SettledLeaf[]): Measured | undefined {
  const results = settled.flatMap((s) => ("result" in s ? [s.result] : []));
  const specs = results.reduce((sum, { from, to }) => sum + to - from, 0);
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  return specs > 0 ? { specs, seconds } : undefined;
}

/** When every open chunk has just failed for a reason that is not its specs', trying again would go on for ever. */
function throwIfHopeless(open: readonly Range[], settled: readonly SettledLeaf[]): void {
  const failures = settled.flatMap((s) => ("error" in s ? [s] : []));
  const hopeless = open.every(({ from }) => failures.some(({ payload }) => payload.from === from));
  if (!hopeless) return;
  const cause = failures[0]!.error;
  if (isScytheError(cause) && cause.code !== "storage" && cause.code !== "internal") throw cause;
  throw new ScytheError("engine", `${failures.length} chunks could not be run: ${cause.message}`, {
    hint: (isScytheError(cause) && cause.hint) || "Nothing that is done is lost: mend the cause, then resume the run.",
    cause,
  });
}

function leavesOf(run: RunInfo, task: NodeTask, wave: RecordedWave): LeafTask[] {
  return wave.ranges.map(({ from, to }) => ({
    ...task,
    from,
    to,
    box_ms: wave.boxMs,
    schema_hash: run.details.schema_hash,
  }));
}

/** Writes each child's specs before the child is first named, and leaves out children that are gathered already. */
async function unfinishedChildren(settings: TreeSettings, run: RunInfo, task: NodeTask): Promise<NodeTask[]> {
  const children = childPaths(task.path, run.details.recursion.factor);
  const states = await Promise.all(
    children.map(async (path) => {
      const gathered = await hasGathered(settings, run, path, task.generation);
      return { path, gathered, sliced: gathered || (await hasSlice(settings, run, path)) };
    }),
  );
  const unsliced = states.filter((state) => !state.sliced).map((state) => state.path);
  if (unsliced.length > 0) await writeSlices(settings, run, task.path, unsliced);
  return states.filter((state) => !state.gathered).map(({ path }) => ({ ...task, path }));
}

async function hasGathered(settings: TreeSettings, run: RunInfo, path: NodePath, generation: number): Promise<boolean> {
  const rows = await settings.storage.head(run.layout.gathered(path, generation));
  return rows !== undefined && !(await removeDamagedGathered(settings, run, path, generation, rows));
}

async function hasSlice(settings: TreeSettings, run: RunInfo, path: NodePath): Promise<boolean> {
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
           KV_METADATA {${SEAL_KEY}: ${literal(UNSEALED)}})`,
        "Could not split the specs",
      );
      await sealFile(target);
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

import type { Settled, TaskContext, Wave } from "../engine/engine.ts";
import { assertEpoch } from "../run/state.ts";
import { checkInputs } from "./check-inputs.ts";
import { unfinishedChildren } from "./children.ts";
import { isReported } from "./gather/gather.ts";
import { nextStep } from "./next-step.ts";
import { latestWave, listParts, type RecordedWave, recordWave } from "./plan.ts";
import { removeDamagedParts } from "./repair.ts";
import type { LeafResult, LeafTask, NodeTask, RunInfo, TreeSettings } from "./run-task.ts";
import { nodeSize, splits } from "./tree.ts";

/**
 * The next wave of a node: its children while it splits, else chunks of specs without a part. All state is read from
 * storage, so any process may ask.
 */
export async function expandNode(
  settings: TreeSettings,
  task: NodeTask,
  settled: readonly Settled<LeafTask, LeafResult>[],
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
  const step = nextStep({ size, parts, wave }, settled, { chunkSize: chunk_size, slots: slotsFor(task, context) });
  if (step.do === "run") return { leaves: leavesOf(run, task, step.wave) };
  if (step.do === "plan") {
    const { storage } = settings;
    const { path, generation, epoch } = task;
    const recorded = await recordWave(storage, run.layout, path, generation, step.number, step.wave, epoch);
    return { leaves: leavesOf(run, task, recorded) };
  }
  const removed = await removeDamagedParts(settings, run, task, parts);
  return removed ? expandNode(settings, task, settled, context) : {};
}

/** Below the root, a node's siblings fill the other slots. */
function slotsFor({ path }: NodeTask, { capacity }: TaskContext): number {
  return path.length === 0 ? capacity : 1;
}

function leavesOf(run: RunInfo, task: NodeTask, wave: RecordedWave): LeafTask[] {
  const { schema_hash } = run.details;
  return wave.ranges.map(({ from, to }) => ({ ...task, from, to, box_ms: wave.timeBudgetMs, schema_hash }));
}

import { isEmpty, type Json, type Programs, type TreeProgram } from "../engine/engine.ts";
import type { ControlWatch, Steering } from "../run/control-watch.ts";
import { parsePart } from "../run/layout.ts";
import { readReport } from "../run/report.ts";
import { mergeNode } from "../scatter/gather/gather.ts";
import type { LeafResult, LeafTask, NodeTask, RunInfo } from "../scatter/run-task.ts";
import { expandNode } from "../scatter/scatter.ts";
import { listAll } from "../storage/storage.ts";
import type { FailureWatch } from "../worker/supervisor/failure-watch.ts";
import { type LeafSettings, runLeaf } from "../worker/supervisor/leaf.ts";
import { endCancelled, stopIfTooManyFailed } from "./cancelled.ts";

export interface ProgramSettings extends LeafSettings {
  /** Shared by all programs of the process. */
  controls: ControlWatch;
  limits: FailureWatch;
}

/** The tree program of each experiment, under the experiment's name. */
export function programsOf(settings: readonly ProgramSettings[]): Programs {
  return Object.fromEntries(settings.map((own) => [own.experiment.name, programOf(own)]));
}

/**
 * One experiment's run as an engine sees it: scatter, leaf, gather. Requests to pause and cancel are handled here, so
 * that they work on every engine: a leaf hands back what it has not started, nodes below the root stop, the root
 * reports why.
 */
function programOf(settings: ProgramSettings): TreeProgram<NodeTask, LeafTask, LeafResult> {
  return {
    ready: (task, signal) => steered(settings, task, (steering) => steering.unpaused(signal)),
    expand: (task, settled, context) =>
      steered(settings, task, async (steering, run) => {
        const wave = await expandNode(settings, task, settled, context);
        if (isEmpty(wave)) return wave; // too late to stop anything
        await stopIfTooManyFailed(settings, run, task);
        if (steering.controls.cancel === "no") return wave;
        if (task.path.length > 0) return {};
        throw await endCancelled(settings.storage, run.layout, task.epoch);
      }),
    leaf: (task, context) =>
      steered(settings, task, async ({ stop, kill }, run) => {
        if (stop.aborted) return { from: task.from, to: task.from, ok: 0, failed: 0, seconds: 0 };
        const signal = AbortSignal.any([context.signal, stop]);
        const onFailed = settings.limits.of(run, task);
        return runLeaf(settings, task, { ...context, signal, kill, onFailed });
      }),
    merge: (task) =>
      steered(settings, task, async ({ controls }) => {
        if (task.path.length > 0 && controls.cancel !== "no") return {};
        return mergeNode(settings, task);
      }),
    lookupLeaf: (task) => writtenPart(settings, task),
    lookupRoot: (task) => reported(settings, task),
  };
}

async function steered<T>(
  settings: ProgramSettings,
  task: NodeTask,
  work: (steering: Steering, run: RunInfo) => Promise<T>,
): Promise<T> {
  const run = await settings.runs.get(task);
  return settings.controls.use(run.layout, task.epoch, (steering) => work(steering, run));
}

/** The result of a leaf that has written its part. */
async function writtenPart({ storage, runs }: LeafSettings, task: LeafTask): Promise<LeafResult | undefined> {
  const { layout } = await runs.get(task);
  const keys = await listAll(storage, layout.parts(task.path));
  const part = keys
    .map(({ key }) => parsePart(key))
    .find((found) => found?.from === task.from && found.generation === task.generation);
  return part && { from: part.from, to: part.to, ok: part.ok, failed: part.failed, seconds: 0 };
}

/** The counts of a complete run. */
async function reported({ storage, runs }: LeafSettings, task: NodeTask): Promise<Json | undefined> {
  const { layout } = await runs.get(task);
  const report = await readReport(storage, layout);
  // the report that a retry will replace does not complete the retry's root
  if (!report || report.generation < task.generation) return undefined;
  return { succeeded: report.succeeded, failed: report.failed };
}

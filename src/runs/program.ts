import type { Json, Programs, TreeProgram } from "../engine/engine.ts";
import type { ControlWatch, Steering } from "../run/control-watch.ts";
import { parsePart } from "../run/layout.ts";
import { readReport } from "../run/report.ts";
import { mergeNode } from "../scatter/gather/gather.ts";
import { type LeafTask, type NodeTask, type RunInfo, toJson } from "../scatter/run-task.ts";
import { expandNode } from "../scatter/scatter.ts";
import { listAll } from "../storage/storage.ts";
import type { FailureLimits } from "../worker/supervisor/failure-limits.ts";
import { type LeafSettings, runLeaf } from "../worker/supervisor/leaf.ts";
import { endCancelled, stopIfTooManyFailed } from "./cancelled.ts";

export interface ProgramSettings extends LeafSettings {
  /** Shared by all programs of the process. */
  controls: ControlWatch;
  limits: FailureLimits;
}

/** The tree program of each experiment, under the experiment's name. */
export function programsOf(settings: readonly ProgramSettings[]): Programs {
  return Object.fromEntries(settings.map((own) => [own.experiment.name, programOf(own)]));
}

/**
 * One experiment's run as an engine sees it: scatter, leaf, gather. What is asked of a run is heeded here, so that it holds
 * on every engine: a leaf hands back what it has not begun, nodes below the root are left as they are, the root says why.
 */
function programOf(settings: ProgramSettings): TreeProgram {
  return {
    ready: (node, signal) => steered(settings, nodeTask(node), (steering) => steering.unpaused(signal)),
    expand: (node, settled, context) =>
      steered(settings, nodeTask(node), async (steering, run) => {
        const task = nodeTask(node);
        const wave = await expandNode(settings, task, settled, context);
        if ((wave.nodes?.length ?? 0) + (wave.leaves?.length ?? 0) === 0) return wave; // too late to stop anything
        await stopIfTooManyFailed(settings, run, task);
        if (steering.controls.cancel === "no") return wave;
        if (task.path.length > 0) return {};
        throw await endCancelled(settings.storage, run.layout, task.epoch);
      }),
    leaf: (payload, context) =>
      steered(settings, leafTask(payload), async ({ stop, kill }, run) => {
        const task = leafTask(payload);
        if (stop.aborted) return toJson({ from: task.from, to: task.from, ok: 0, failed: 0, seconds: 0 });
        const signal = AbortSignal.any([context.signal, stop]);
        const onFailed = settings.limits.of(run, task);
        return toJson(await runLeaf(settings, task, { ...context, signal, kill, onFailed }));
      }),
    merge: (node) =>
      steered(settings, nodeTask(node), async ({ controls }) => {
        const task = nodeTask(node);
        if (task.path.length > 0 && controls.cancel !== "no") return {};
        return mergeNode(settings, task);
      }),
    lookup: (payload) => lookup(settings, payload),
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

async function lookup(settings: LeafSettings, payload: Json): Promise<Json | undefined> {
  const task = leafTask(payload);
  const { layout } = await settings.runs.get(task);
  if (task.from === undefined) {
    const report = await readReport(settings.storage, layout);
    // a retry's root is not done by the report that it will replace
    if (!report || report.generation < task.generation) return undefined;
    return { succeeded: report.succeeded, failed: report.failed };
  }
  const keys = await listAll(settings.storage, layout.parts(task.path));
  const part = keys
    .map(({ key }) => parsePart(key))
    .find((found) => found?.from === task.from && found.generation === task.generation);
  return part && toJson({ from: part.from, to: part.to, ok: part.ok, failed: part.failed, seconds: 0 });
}

function nodeTask(payload: Json): NodeTask {
  return payload as unknown as NodeTask;
}

function leafTask(payload: Json): LeafTask {
  return payload as unknown as LeafTask;
}

import type { Json, Programs, TreeProgram } from "../engine/engine.ts";
import { parsePart } from "../run/layout.ts";
import { readReport } from "../run/report.ts";
import { mergeNode } from "../scatter/gather.ts";
import { type LeafTask, type NodeTask, toJson } from "../scatter/run-task.ts";
import { expandNode } from "../scatter/scatter.ts";
import { listAll } from "../storage/storage.ts";
import { type LeafSettings, runLeaf } from "../worker/leaf.ts";

/** The tree program of each experiment, under the experiment's name. */
export function programsOf(settings: readonly LeafSettings[]): Programs {
  return Object.fromEntries(settings.map((own) => [own.experiment.name, programOf(own)]));
}

/** One experiment's run as an engine sees it: scatter, leaf, gather. */
function programOf(settings: LeafSettings): TreeProgram {
  return {
    expand: (node, settled, context) => expandNode(settings, nodeTask(node), settled, context),
    leaf: async (payload, context) => toJson(await runLeaf(settings, leafTask(payload), context)),
    merge: (node) => mergeNode(settings, nodeTask(node)),
    lookup: (payload) => lookup(settings, payload),
  };
}

async function lookup(settings: LeafSettings, payload: Json): Promise<Json | undefined> {
  const task = leafTask(payload);
  const { layout } = await settings.runs.get(task.experiment_id);
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

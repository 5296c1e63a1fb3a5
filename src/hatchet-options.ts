import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Settings } from "./config.ts";
import type { Describe, HatchetOptions, ProgramRoute } from "./engine/hatchet/options.ts";
import { defaultSlots } from "./engine/in-process/local.ts";
import type { AnyExperiment } from "./experiment/define.ts";
import type { Registry } from "./experiment/registry.ts";
import type { LeafTask, NodeTask } from "./scatter/run-task.ts";
import type { Storage } from "./storage/storage.ts";

/** A Spot instance gets two minutes before it is taken away; Kubernetes and ECS give thirty seconds. */
const GRACE_MS = 25_000;
/** A spec may use all its tries, each of which may be killed late, before a leaf has anything to report. */
const SILENCE = { limits: 5, moreMs: 300_000 };

/** Whether there is a Hatchet server to ask. (No token stands among the settings, which may be printed.) */
export function hasHatchetToken(): boolean {
  return Boolean(process.env.HATCHET_CLIENT_TOKEN);
}

/** What the Hatchet adapter needs to know of a project, and of the environment, which it does not read itself. */
export function hatchetOptions(registry: Registry, settings: Settings, storage: Storage): HatchetOptions {
  const experiments = registry.all();
  const codeLabel = (experiment: AnyExperiment) => labelOf(experiment, storage);
  return {
    connection: {
      token: process.env.HATCHET_CLIENT_TOKEN || undefined,
      embedded: settings.embeddedHatchet,
      embeddedBinary: process.env.HATCHET_CLIENT_EMBEDDED_BINARY_PATH || undefined,
    },
    routes: Object.fromEntries(
      experiments.map((experiment) => [experiment.name, routeOf(experiment, settings, codeLabel(experiment))]),
    ),
    worker: {
      name: settings.workerName,
      slots: settings.slots ?? defaultSlots(availableParallelism()),
      ...settings.worker,
      labels: { ...settings.worker.labels, ...Object.assign({}, ...experiments.map(codeLabel)) },
      graceMs: GRACE_MS,
    },
    nodeScheduleMs: settings.timeouts.nodeScheduleMs,
    nodeExecutionMs: settings.timeouts.nodeExecutionMs,
    describe,
    log: (line) => process.stderr.write(`${line}\n`),
    sdkLog: (level, line) => {
      if (process.env.SCYTHE_DEBUG) process.stderr.write(`${level} ${line}\n`);
    },
  };
}

function routeOf(experiment: AnyExperiment, settings: Settings, code: Record<string, string>): ProgramRoute {
  const specMs = experiment.executionTimeoutMs ?? settings.executionTimeoutMs;
  return {
    description: experiment.description ?? `Specs of ${experiment.name}`,
    code,
    requires: Object.fromEntries(experiment.requires.map((label) => [label, "yes"])),
    leafScheduleMs: experiment.scheduleTimeoutMs ?? settings.timeouts.specScheduleMs,
    leafSilenceMs: SILENCE.limits * specMs + SILENCE.moreMs,
  };
}

/**
 * Work goes only to workers whose experiment has the same schemas, and the same bucket, as the process that started it.
 * Folders are not compared: a shared folder may have another path on each machine.
 */
function labelOf(experiment: AnyExperiment, storage: Storage): Record<string, string> {
  const place = storage.localPath ? "folder" : storage.uriOf("");
  const hash = createHash("sha256").update(`${experiment.schemaHash} ${place}`).digest("hex");
  return { [`scythe_code_${experiment.name}`]: hash.slice(0, 16) };
}

/** Metadata for filtering in the dashboard. */
const describe: Describe<NodeTask, LeafTask> = {
  node: ({ path }) => ({ path: pathText(path) }),
  leaf: ({ path, from, to }) => ({ path: pathText(path), specs: `${from}-${to}` }),
};

function pathText(path: NodeTask["path"]): string {
  return path.map(({ factor, offset }) => `${offset}of${factor}`).join("/") || "root";
}

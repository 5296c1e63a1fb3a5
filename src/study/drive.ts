import type { Engine } from "../engine/engine.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import type { AllocatedRun } from "../run/allocate.ts";
import { takeOver, updateState } from "../run/state.ts";
import { toJson } from "../scatter/run-task.ts";
import type { Storage } from "../storage/storage.ts";
import { noteEnd, Run } from "./run.ts";

/** Starts an allocated run on an engine, as its only driver from now on. */
export async function startRun<E extends AnyExperiment>(
  storage: Storage,
  engine: Engine,
  experiment: E,
  { layout, manifest }: AllocatedRun,
): Promise<Run<E>> {
  const state = await takeOver(storage, layout, engine.name);
  const root = toJson({
    experiment_id: layout.experimentId,
    path: [],
    epoch: state.epoch,
    generation: state.generation,
  });
  const engineRun = await engine.start(experiment.name, root, {
    metadata: {
      experiment_id: layout.experimentId,
      experiment_name: experiment.name,
      version: layout.id.version,
    },
  });
  await updateState(storage, layout, (now) =>
    now.epoch === state.epoch ? { engine_run_id: engineRun.id } : undefined,
  );
  const ended = noteEnd(storage, layout, state.epoch, engineRun);
  return new Run(storage, layout, manifest, experiment, {
    ...engineRun,
    result: async () => {
      const result = await engineRun.result().finally(() => ended);
      return result;
    },
  });
}

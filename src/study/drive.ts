import type { EngineRun } from "../engine/engine.ts";
import { isScytheError, messageOf } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import type { Controls } from "../run/control.ts";
import { Heartbeat } from "../run/heartbeat.ts";
import type { RunLayout } from "../run/layout.ts";
import { isDriven, updateState } from "../run/state.ts";
import { toJson } from "../scatter/run-task.ts";
import type { Storage } from "../storage/storage.ts";
import { type ClaimOptions, claimDrive } from "./claim-drive.ts";
import type { RunHome } from "./home.ts";

/** One driving of a run by this process, from its epoch's beginning to its end. */
export interface Drive {
  epoch: number;
  engineRun: EngineRun;
  /** How it ended; what is to be noted of that is noted by then. @throws what failed it */
  result(): Promise<void>;
  /** Asks the work of this process. */
  tell(change: Partial<Controls>): void;
}

/**
 * Drives a run on this project's engine, as its only driver from now on.
 * @throws ScytheError `conflict` when somebody drives it already, or it is complete
 */
export async function startDrive(
  storage: Storage,
  home: RunHome,
  experiment: AnyExperiment,
  layout: RunLayout,
  options: ClaimOptions = {},
): Promise<Drive> {
  const { engine } = home;
  const state = await claimDrive(storage, layout, home, options);
  const { epoch } = state;
  const heartbeat = new Heartbeat(storage, layout, epoch);
  try {
    const root = toJson({ experiment_id: layout.experimentId, path: [], epoch, generation: state.generation });
    const engineRun = await engine.start(experiment.name, root, {
      metadata: {
        experiment_id: layout.experimentId,
        experiment_name: experiment.name,
        version: layout.id.version,
      },
    });
    await updateState(storage, layout, (now) => (now.epoch === epoch ? { engine_run_id: engineRun.id } : undefined));
    const ended = noteEnd(storage, layout, epoch, engineRun).finally(() => heartbeat.stop());
    return {
      epoch,
      engineRun,
      tell: (change) => home.controls.tell(layout, epoch, change),
      result: async () => {
        await engineRun.result().finally(() => ended);
      },
    };
  } catch (error) {
    heartbeat.stop();
    await note(storage, layout, epoch, "failed", messageOf(error)).catch(() => undefined); // the first fault is to be told
    throw error;
  }
}

/** Notes in `state.yml` how an engine's run ended, unless somebody else drives it by then. */
async function noteEnd(storage: Storage, layout: RunLayout, epoch: number, engineRun: EngineRun): Promise<void> {
  try {
    await engineRun.result();
  } catch (error) {
    const cancelled = isScytheError(error) && error.code === "cancelled";
    const reason = cancelled ? null : messageOf(error);
    await note(storage, layout, epoch, cancelled ? "cancelled" : "failed", reason).catch(() => undefined);
  }
}

/** Notes it unless somebody else drives the run by then, or it is noted already. */
export async function note(
  storage: Storage,
  layout: RunLayout,
  epoch: number,
  status: "failed" | "cancelled",
  reason: string | null = null,
): Promise<void> {
  await updateState(storage, layout, (now) =>
    now.epoch === epoch && isDriven(now.status) ? { status, reason } : undefined,
  );
}

import { type EngineRun, isCancelled } from "../engine/engine.ts";
import { messageOf, ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import type { Controls } from "../run/control.ts";
import { Heartbeat } from "../run/heartbeat.ts";
import type { RunLayout } from "../run/layout.ts";
import { isDriven, updateState } from "../run/state.ts";
import type { NodeTask } from "../scatter/run-task.ts";
import type { Storage } from "../storage/storage.ts";
import { type ClaimOptions, claimDrive } from "./claim-drive.ts";
import type { RunHome } from "./home.ts";

/** One period in which this process drives a run, at one epoch. */
export interface Drive {
  epoch: number;
  engineRun: EngineRun;
  /**
   * Resolves when the run has ended and its state is recorded.
   * @throws what made it fail
   */
  result(): Promise<void>;
  /** Sets controls for this process's work. */
  setControls(change: Partial<Controls>): void;
  /** Stops driving because the project is closed: finished work is kept, and any process may resume the run. */
  detach(): Promise<void>;
}

/**
 * Drives a run on this project's engine, as its only driver.
 * @throws ScytheError `conflict` when another process drives it, or it is complete
 */
export async function startDrive(
  storage: Storage,
  home: RunHome,
  experiment: AnyExperiment,
  layout: RunLayout,
  options: ClaimOptions = {},
): Promise<Drive> {
  const { engine } = home;
  home.drives.assertOpen();
  const state = await claimDrive(storage, layout, home, options);
  const { epoch } = state;
  const heartbeat = new Heartbeat(storage, layout, state);
  try {
    const root: NodeTask = { experiment_id: layout.experimentId, path: [], epoch, generation: state.generation };
    const engineRun = await engine.start(experiment.name, root, {
      metadata: {
        experiment_id: layout.experimentId,
        experiment_name: experiment.name,
        version: layout.id.version,
      },
    });
    const drive = driveOf(storage, home, layout, epoch, engineRun, heartbeat);
    await updateState(storage, layout, (now) => (now.epoch === epoch ? { engine_run_id: engineRun.id } : undefined));
    return drive;
  } catch (error) {
    await heartbeat.stop();
    await note(storage, layout, epoch, "failed", messageOf(error)).catch(() => undefined); // report the first error, not this one
    throw error;
  }
}

function driveOf(
  storage: Storage,
  home: RunHome,
  layout: RunLayout,
  epoch: number,
  engineRun: EngineRun,
  heartbeat: Heartbeat,
): Drive {
  let closed = false;
  const setControls = (change: Partial<Controls>) => home.controls.set(layout, epoch, change);
  const ended = noteEnd(storage, layout, epoch, engineRun, () => closed).finally(() => heartbeat.stop());
  const detach = async () => {
    if (home.engine.slots === 0) return; // a cluster drives it
    closed = true;
    setControls({ closed });
    await engineRun.cancel();
    await ended;
  };
  const drive: Drive = {
    epoch,
    engineRun,
    setControls,
    detach,
    result: async () => {
      try {
        await engineRun.result().finally(() => ended);
      } catch (error) {
        throw closed && isCancelled(error) ? closedError(layout) : error;
      }
    },
  };
  home.drives.add(drive, ended);
  return drive;
}

function closedError({ experimentId }: RunLayout): ScytheError {
  return new ScytheError("cancelled", `Run ${experimentId} was interrupted because its project was closed`, {
    hint: `Finished work is kept; \`scythe resume ${experimentId}\` continues the run. To wait for the end: \`await run.result()\`.`,
  });
}

/** Records in `state.yml` how the engine's run ended, unless another process drives the run by then. */
async function noteEnd(
  storage: Storage,
  layout: RunLayout,
  epoch: number,
  engineRun: EngineRun,
  wasClosed: () => boolean,
): Promise<void> {
  try {
    await engineRun.result();
  } catch (error) {
    if (wasClosed()) return noteClosed(storage, layout, epoch).catch(() => undefined);
    const cancelled = isCancelled(error);
    const reason = cancelled ? null : messageOf(error);
    await note(storage, layout, epoch, cancelled ? "cancelled" : "failed", reason).catch(() => undefined);
  }
}

/** Marks the run as not driven: it is interrupted until it is resumed. */
async function noteClosed(storage: Storage, layout: RunLayout, epoch: number): Promise<void> {
  await updateState(storage, layout, (now) =>
    now.epoch === epoch && isDriven(now.status) ? { status: "running", owner: null } : undefined,
  );
}

/** Records the status unless another process drives the run by then, or one is recorded already. */
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

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

/** One driving of a run by this process, from its epoch's beginning to its end. */
export interface Drive {
  epoch: number;
  engineRun: EngineRun;
  /** How it ended; what is to be noted of that is noted by then. @throws what failed it */
  result(): Promise<void>;
  /** Asks the work of this process. */
  tell(change: Partial<Controls>): void;
  /** Ends it where it stands, as its project is closed: what is done is kept, and anybody may drive the run on. */
  leave(): Promise<void>;
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
    await note(storage, layout, epoch, "failed", messageOf(error)).catch(() => undefined); // the first fault is to be told
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
  let left = false;
  const tell = (change: Partial<Controls>) => home.controls.tell(layout, epoch, change);
  const ended = noteEnd(storage, layout, epoch, engineRun, () => left).finally(() => heartbeat.stop());
  const leave = async () => {
    if (home.engine.slots === 0) return; // its cluster drives it
    left = true;
    tell({ left });
    await engineRun.cancel();
    await ended;
  };
  const drive: Drive = {
    epoch,
    engineRun,
    tell,
    leave,
    result: async () => {
      try {
        await engineRun.result().finally(() => ended);
      } catch (error) {
        throw left && isCancelled(error) ? leftError(layout) : error;
      }
    },
  };
  home.drives.add(drive, ended);
  return drive;
}

function leftError({ experimentId }: RunLayout): ScytheError {
  return new ScytheError("cancelled", `Run ${experimentId} was left before its end, as its project was closed`, {
    hint: `What is done is kept; \`scythe resume ${experimentId}\` goes on. To wait for the end: \`await run.result()\`.`,
  });
}

/** Notes in `state.yml` how an engine's run ended, unless somebody else drives it by then. */
async function noteEnd(
  storage: Storage,
  layout: RunLayout,
  epoch: number,
  engineRun: EngineRun,
  wasLeft: () => boolean,
): Promise<void> {
  try {
    await engineRun.result();
  } catch (error) {
    if (wasLeft()) return noteLeft(storage, layout, epoch).catch(() => undefined);
    const cancelled = isCancelled(error);
    const reason = cancelled ? null : messageOf(error);
    await note(storage, layout, epoch, cancelled ? "cancelled" : "failed", reason).catch(() => undefined);
  }
}

/** A run that nobody drives, though it goes on where it is once somebody does: interrupted. */
async function noteLeft(storage: Storage, layout: RunLayout, epoch: number): Promise<void> {
  await updateState(storage, layout, (now) =>
    now.epoch === epoch && isDriven(now.status) ? { status: "running", owner: null } : undefined,
  );
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

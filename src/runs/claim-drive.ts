import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../errors.ts";
import { LivenessMonitor } from "../run/heartbeat.ts";
import type { RunLayout } from "../run/layout.ts";
import { ownerText } from "../run/owner.ts";
import { readReport } from "../run/report.ts";
import { isDriven, isTakenOver, type RunState, readState, takeOver, updateState } from "../run/state.ts";
import type { Storage } from "../storage/storage.ts";
import { engineRunOf, type RunHome } from "./home.ts";

const POLL_MS = 500;

export interface ClaimOptions {
  /** Take the run over from its driver, alive or not. */
  takeOver?: boolean;
  /** Further changes to its state. */
  change?: Partial<RunState>;
  /** Called when it takes a while to find out whether the driver is alive. */
  onWait?: (driver: string) => void;
  /** How long a driver on another machine may be silent before it counts as dead. */
  silenceMs?: number;
}

/**
 * Makes this process the driver of a run. A run whose driver has died is taken over. For a driver on another machine,
 * waits until its heartbeat changes or it has been silent for a minute.
 * @throws ScytheError `conflict` naming the driver, or when the run is complete
 */
export async function claimDrive(
  storage: Storage,
  layout: RunLayout,
  home: RunHome,
  options: ClaimOptions = {},
): Promise<RunState> {
  const life = new LivenessMonitor(
    storage,
    layout,
    options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs },
  );
  let onWait = options.onWait;
  const notifyOnce = (driver: string) => {
    onWait?.(driver);
    onWait = undefined;
  };
  for (;;) {
    const state = await readState(storage, layout);
    if (state) await noteReport(storage, layout, state);
    if (
      !state ||
      options.takeOver ||
      !isDriven(state.status) ||
      (await hasEnded(state, life, home, layout, notifyOnce))
    ) {
      try {
        return await takeOver(storage, layout, home.engine.name, {
          ...(state && { since: state.epoch }),
          ...(options.change && { change: options.change }),
        });
      } catch (error) {
        if (!isTakenOver(error)) throw error; // another process was first: check again
      }
    }
  }
}

/** The driver may have died between writing the report and the state. */
async function noteReport(storage: Storage, layout: RunLayout, state: RunState): Promise<void> {
  if (state.status === "complete") return;
  const report = await readReport(storage, layout);
  if (!report || report.generation < state.generation) return;
  await updateState(storage, layout, (now) => (now.epoch === state.epoch ? { status: "complete" } : undefined));
}

/**
 * Whether the driver is gone.
 * @throws ScytheError `conflict` when it is alive
 */
async function hasEnded(
  state: RunState,
  life: LivenessMonitor,
  home: RunHome,
  layout: RunLayout,
  onWait: (driver: string) => void,
): Promise<boolean> {
  if (state.engine === "hatchet") {
    const engineRun = await engineRunOf(async () => home, state);
    const status = await engineRun?.status().catch(() => undefined);
    if (status === "running") throw alreadyDriven(layout, `Hatchet, as its run ${state.engine_run_id}`);
    return true; // ended, lost with its engine, or on a cluster that cannot be asked: the epoch keeps it from committing
  }
  const found = await life.check(state);
  if (found === "alive") throw alreadyDriven(layout, ownerText(state.owner!));
  if (found === "unknown") {
    onWait(ownerText(state.owner!));
    await sleep(POLL_MS);
  }
  return found === "gone";
}

function alreadyDriven({ experimentId }: RunLayout, by: string): ScytheError {
  return new ScytheError("conflict", `Run ${experimentId} is already driven by ${by}`, {
    hint: `See \`scythe watch ${experimentId}\`, stop it with \`scythe cancel ${experimentId}\`, or resume with --take-over.`,
  });
}

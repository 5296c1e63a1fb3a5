import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../errors.ts";
import { LifeWatch } from "../run/heartbeat.ts";
import type { RunLayout } from "../run/layout.ts";
import { ownerText } from "../run/owner.ts";
import { readReport } from "../run/report.ts";
import { isDriven, isTakenOver, type RunState, readState, takeOver, updateState } from "../run/state.ts";
import type { Storage } from "../storage/storage.ts";
import { engineRunOf, type RunHome } from "./home.ts";

const LOOK_MS = 500;

export interface ClaimOptions {
  /** Take the run from whoever drives it, alive or not. */
  takeOver?: boolean;
  /** What else changes about its state. */
  change?: Partial<RunState>;
  /** Told when it takes a while to find out whether a driver lives. */
  onWait?: (driver: string) => void;
  /** How long a driver on another machine may be silent. */
  silentMs?: number;
}

/**
 * Makes this process the one that drives a run. One whose driver has died is taken over; a driver on another machine is
 * listened for until it is heard, or has been silent for a minute.
 * @throws ScytheError `conflict` naming who drives the run, or when it is complete
 */
export async function claimDrive(
  storage: Storage,
  layout: RunLayout,
  home: RunHome,
  options: ClaimOptions = {},
): Promise<RunState> {
  const life = new LifeWatch(storage, layout, options.silentMs === undefined ? {} : { silentMs: options.silentMs });
  let onWait = options.onWait;
  const told = (driver: string) => {
    onWait?.(driver);
    onWait = undefined;
  };
  for (;;) {
    const state = await readState(storage, layout);
    if (state) await noteReport(storage, layout, state);
    if (!state || options.takeOver || !isDriven(state.status) || (await hasEnded(state, life, home, layout, told))) {
      try {
        return await takeOver(storage, layout, home.engine.name, {
          ...(state && { since: state.epoch }),
          ...(options.change && { change: options.change }),
        });
      } catch (error) {
        if (!isTakenOver(error)) throw error; // somebody was first: look again
      }
    }
  }
}

/** Whoever wrote the report may have died before saying so in the state. */
async function noteReport(storage: Storage, layout: RunLayout, state: RunState): Promise<void> {
  if (state.status === "complete") return;
  const report = await readReport(storage, layout);
  if (!report || report.generation < state.generation) return;
  await updateState(storage, layout, (now) => (now.epoch === state.epoch ? { status: "complete" } : undefined));
}

/** @throws ScytheError `conflict` when its driver lives */
async function hasEnded(
  state: RunState,
  life: LifeWatch,
  home: RunHome,
  layout: RunLayout,
  onWait: (driver: string) => void,
): Promise<boolean> {
  if (state.engine === "hatchet") {
    const engineRun = await engineRunOf(async () => home, state);
    const status = await engineRun?.status().catch(() => undefined);
    if (status === "running") throw isDrivenAlready(layout, `Hatchet, as its run ${state.engine_run_id}`);
    return true; // ended, lost with its engine, or of a cluster that cannot be asked: the epoch keeps it apart
  }
  const found = await life.look(state);
  if (found === "alive") throw isDrivenAlready(layout, ownerText(state.owner!));
  if (found === "unknown") {
    onWait(ownerText(state.owner!));
    await sleep(LOOK_MS);
  }
  return found === "gone";
}

function isDrivenAlready({ experimentId }: RunLayout, by: string): ScytheError {
  return new ScytheError("conflict", `Run ${experimentId} is driven already, by ${by}`, {
    hint: `See \`scythe watch ${experimentId}\`, stop it by \`scythe cancel ${experimentId}\`, or resume with --take-over.`,
  });
}

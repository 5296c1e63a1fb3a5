import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../errors.ts";
import { request, withdraw } from "../run/control.ts";
import { LivenessMonitor } from "../run/heartbeat.ts";
import type { RunLayout } from "../run/layout.ts";
import { isDriven, type RunState, type RunStatus, readState, updateState } from "../run/state.ts";
import type { Storage } from "../storage/storage.ts";
import { note } from "./drive.ts";
import { engineRunOf, type OpenHome } from "./home.ts";

const POLL_MS = 250;
/** How long to wait for a cluster that this process cannot ask. */
const CLUSTER_MS = 60_000;

/** How a run is stopped. */
export interface CancelOptions {
  /** Kill running specs instead of waiting for them. */
  now?: boolean;
}

/** `driver`: the driver has stopped. `nobody`: no process drove the run. */
export type CancelOutcome = "driver" | "nobody";

/**
 * Stops a run from any process: asks its driver, and waits until it has stopped.
 * @throws ScytheError `conflict` when there is nothing to stop, `engine` when a cluster has not reacted
 */
export async function cancelRun(
  storage: Storage,
  layout: RunLayout,
  home: OpenHome | undefined,
  { now = false }: CancelOptions = {},
): Promise<CancelOutcome> {
  const state = await stateOf(storage, layout);
  const { epoch, status } = state;
  if (status === "complete" || status === "allocating") throw notRunning(layout, status, "stop");
  if (!isDriven(status)) {
    if (status === "allocated") await markCancelled(storage, layout, epoch);
    return "nobody";
  }
  await request(storage, layout, epoch, "cancel");
  if (now) await request(storage, layout, epoch, "cancel-now");
  return state.engine === "hatchet"
    ? cancelOnCluster(storage, layout, home, state)
    : awaitDriver(storage, layout, epoch);
}

async function awaitDriver(storage: Storage, layout: RunLayout, epoch: number): Promise<CancelOutcome> {
  const life = new LivenessMonitor(storage, layout);
  for (;;) {
    const state = await stateOf(storage, layout);
    if (state.epoch !== epoch || !isDriven(state.status)) return "driver";
    if ((await life.check(state)) === "gone") {
      await note(storage, layout, epoch, "cancelled");
      return "nobody";
    }
    await sleep(POLL_MS);
  }
}

async function cancelOnCluster(
  storage: Storage,
  layout: RunLayout,
  home: OpenHome | undefined,
  { epoch }: RunState,
): Promise<CancelOutcome> {
  const engineRun = await engineRunOf(home, await stateOf(storage, layout));
  if (engineRun) {
    await engineRun.cancel();
    await note(storage, layout, epoch, "cancelled");
    return "driver";
  }
  for (const begun = performance.now(); performance.now() - begun < CLUSTER_MS; await sleep(POLL_MS)) {
    const state = await stateOf(storage, layout);
    if (state.epoch !== epoch || !isDriven(state.status)) return "driver";
  }
  throw new ScytheError("engine", `Run ${layout.experimentId} was asked to stop, but no worker has reacted yet`, {
    hint: "Its workers stop when they next run a task of it. Set HATCHET_CLIENT_TOKEN to cancel it through Hatchet as well.",
  });
}

async function markCancelled(storage: Storage, layout: RunLayout, epoch: number): Promise<void> {
  await updateState(storage, layout, (now) =>
    now.epoch === epoch && now.status === "allocated" ? { status: "cancelled" } : undefined,
  );
}

/**
 * Makes a driven run start no more specs, until {@link unpauseRun}. Running specs finish.
 * @throws ScytheError `conflict` when no process drives it
 */
export async function pauseRun(storage: Storage, layout: RunLayout, home: OpenHome | undefined): Promise<void> {
  const state = await stateOf(storage, layout);
  if (!(await isAlive(storage, layout, home, state))) throw notRunning(layout, state.status, "pause");
  await request(storage, layout, state.epoch, "pause");
  await setPaused(storage, layout, state.epoch, true);
}

/**
 * Continues a paused run.
 * @returns false when no process drives it, or it is not paused
 */
export async function unpauseRun(storage: Storage, layout: RunLayout, home: OpenHome | undefined): Promise<boolean> {
  const state = await readState(storage, layout);
  if (state?.status !== "paused" || !(await isAlive(storage, layout, home, state))) return false;
  await setPaused(storage, layout, state.epoch, false);
  await withdraw(storage, layout, state.epoch, "pause");
  return true;
}

async function setPaused(storage: Storage, layout: RunLayout, epoch: number, paused: boolean): Promise<void> {
  await updateState(storage, layout, (now) =>
    now.epoch === epoch && isDriven(now.status) ? { status: paused ? "paused" : "running" } : undefined,
  );
}

/** Whether a process drives it. A cluster that cannot be asked is assumed to. */
async function isAlive(
  storage: Storage,
  layout: RunLayout,
  home: OpenHome | undefined,
  state: RunState,
): Promise<boolean> {
  if (!isDriven(state.status)) return false;
  if (state.engine === "hatchet") {
    const engineRun = await engineRunOf(home, state);
    return ((await engineRun?.status().catch(() => undefined)) ?? "running") === "running";
  }
  const life = new LivenessMonitor(storage, layout);
  for (;;) {
    const found = await life.check(state);
    if (found !== "unknown") return found === "alive";
    await sleep(POLL_MS);
  }
}

async function stateOf(storage: Storage, layout: RunLayout): Promise<RunState> {
  const state = await readState(storage, layout);
  if (state) return state;
  throw new ScytheError("conflict", `Run ${layout.experimentId} was not made by this package`, {
    hint: "Runs of Python Scythe can be read, not steered.",
  });
}

function notRunning({ experimentId }: RunLayout, status: RunStatus, what: string): ScytheError {
  const said = isDriven(status) ? "is not driven by any process" : `is ${status}`;
  return new ScytheError("conflict", `Run ${experimentId} ${said}: there is nothing to ${what}`, {
    hint:
      status === "complete"
        ? `\`scythe results ${experimentId}\` shows it.`
        : `\`scythe resume ${experimentId}\` continues it.`,
  });
}

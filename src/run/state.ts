import { stringify } from "yaml";
import { isScytheError, ScytheError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import { addChecksum } from "./checksum.ts";
import type { RunLayout } from "./layout.ts";
import { type Owner, ownerText, presenceOf, thisProcess } from "./owner.ts";
import { readYaml } from "./yaml.ts";

/** Where a run stands, as its state says. */
export type RunStatus = "allocating" | "allocated" | "running" | "paused" | "complete" | "failed" | "cancelled";

/** Where a run stands, as it is shown. `interrupted`: the process that drove the run has died. */
export type ShownStatus = RunStatus | "interrupted";

/** What a retry runs again, and how. Recorded when the generation is raised. */
export interface RetryPlan {
  /** The attempt that chose the specs; the name of their file contains it. */
  attempt: string;
  /** How many specs run again. */
  count: number;
  /** Kinds of failure that were chosen; null = all. */
  kinds: string[] | null;
  /** Time limit per try in this generation; null = the experiment's. */
  timeout_ms: number | null;
  started_at: string;
}

/** `state.yml`: the mutable facts of a run. Written by compare-and-swap only. */
export interface RunState {
  status: RunStatus;
  /** Raised by each process that starts to drive the run; only the highest may commit. */
  epoch: number;
  /** Raised by a retry of failed specs. */
  generation: number;
  /** The plan of this generation; absent in the first. */
  retry?: RetryPlan | null;
  engine: string | null;
  engine_run_id: string | null;
  /**
   * The process that drives it; null when it was released. On a cluster the engine drives it, and this is the process
   * that started it.
   */
  owner: Owner | null;
  /** The run stops after this many failed specs: a number, or a share of all such as `1%`. */
  max_failures?: string | null;
  /** Why it was cancelled, if not by a user. */
  reason?: string | null;
  /** The only attempt that may write `final/` and the report: the last one to have started. */
  final_attempt?: string | null;
  updated_at: string;
}

/** Whether a process drives the run, or drove it until it died. */
export function isDriven(status: ShownStatus): boolean {
  return status === "running" || status === "paused";
}

/** The status of a run without a report. A run without a state is Python Scythe's, which lists only finished ones. */
export function shownStatus(state: RunState | undefined): ShownStatus {
  if (!state) return "complete";
  if (state.engine === "hatchet" || !(isDriven(state.status) || state.status === "allocating")) return state.status;
  const isGone = state.owner ? presenceOf(state.owner) === "gone" : isDriven(state.status);
  return isGone ? "interrupted" : state.status;
}

export function newState(): RunState {
  return {
    status: "allocating",
    epoch: 0,
    generation: 0,
    engine: null,
    engine_run_id: null,
    owner: thisProcess(),
    max_failures: null,
    reason: null,
    final_attempt: null,
    updated_at: new Date().toISOString(),
  };
}

export function stateText(state: RunState): string {
  return addChecksum(stringify(state));
}

/** The run's state; undefined for a run of Python Scythe, or for no run. */
export async function readState(storage: Storage, layout: RunLayout): Promise<RunState | undefined> {
  return (await readYaml<RunState>(storage, layout.state, { checksummed: true }))?.value;
}

/**
 * Changes the state by compare-and-swap; retries from the newest state when another writer was first.
 * @param change returns the changes, or undefined to leave the state as it is
 */
export async function updateState(
  storage: Storage,
  layout: RunLayout,
  change: (state: RunState) => Partial<RunState> | undefined,
): Promise<RunState> {
  for (;;) {
    const found = await readYaml<RunState>(storage, layout.state, { checksummed: true });
    if (!found) throw new ScytheError("not_found", `Run ${layout.experimentId} has no state.yml`);
    const state = found.value;
    const changed = change(state);
    if (!changed) return state;
    const next = { ...state, ...changed, updated_at: new Date().toISOString() };
    const { written } = await storage.put(layout.state, stateText(next), { ifMatch: found.etag });
    if (written) return next;
  }
}

export interface TakeOverOptions {
  /** Fail when another process has taken the run over since this epoch. */
  since?: number;
  /** Further changes to the state. */
  change?: Partial<RunState>;
}

/**
 * Starts to drive a run: raises its epoch, so that an earlier driver can no longer commit.
 * @throws ScytheError `conflict` when the run is complete, or another process was first
 */
export async function takeOver(
  storage: Storage,
  layout: RunLayout,
  engine: string,
  options: TakeOverOptions = {},
): Promise<RunState> {
  return updateState(storage, layout, (state) => {
    if (state.status === "complete") {
      throw new ScytheError("conflict", `Run ${layout.experimentId} is already complete`, {
        hint: `\`scythe results ${layout.experimentId}\` shows it.`,
      });
    }
    if (options.since !== undefined && state.epoch !== options.since) throw takenOver(layout, options.since, state);
    return {
      status: "running",
      epoch: state.epoch + 1,
      engine,
      engine_run_id: null,
      owner: thisProcess(),
      reason: null,
      final_attempt: null,
      ...options.change,
    };
  });
}

/** @throws ScytheError `conflict` when another process has taken the run over since `epoch` */
export async function assertEpoch(storage: Storage, layout: RunLayout, epoch: number): Promise<RunState | undefined> {
  const state = await readState(storage, layout);
  if (state && state.epoch > epoch) throw takenOver(layout, epoch, state);
  return state;
}

/**
 * Makes `attempt` the only one that may write `final/` and the report.
 * @throws ScytheError `conflict` as {@link assertEpoch}
 */
export async function beginFinal(storage: Storage, layout: RunLayout, epoch: number, attempt: string): Promise<void> {
  await updateState(storage, layout, (state) => {
    if (state.epoch > epoch) throw takenOver(layout, epoch, state);
    return { final_attempt: attempt };
  });
}

/** @throws ScytheError `conflict` when the run was taken over, or a later attempt of this epoch has started */
export async function assertFinal(storage: Storage, layout: RunLayout, epoch: number, attempt: string): Promise<void> {
  const state = await assertEpoch(storage, layout, epoch);
  if (state && state.final_attempt !== attempt) {
    throw new ScytheError("conflict", `Run ${layout.experimentId} is being finished by another worker`);
  }
}

/** The error for a driver that has lost the run to another process. */
export function takenOver(layout: RunLayout, epoch: number, state: Pick<RunState, "epoch" | "owner">): ScytheError {
  const by = state.owner ? ` by ${ownerText(state.owner)}` : "";
  return new ScytheError("conflict", `Run ${layout.experimentId} was taken over${by}`, {
    hint: `Results that this process stored are kept. See \`scythe watch ${layout.experimentId}\`.`,
    details: { epoch, current: state.epoch },
  });
}

/** Whether an error means that another process has taken the run over. */
export function isTakenOver(error: unknown): boolean {
  return isScytheError(error) && error.code === "conflict" && "current" in error.details;
}

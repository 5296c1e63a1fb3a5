import { stringify } from "yaml";
import { isScytheError, ScytheError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import { seal } from "./checksum.ts";
import type { RunLayout } from "./layout.ts";
import { type Owner, ownerText, presenceOf, thisProcess } from "./owner.ts";
import { readYaml } from "./yaml.ts";

export type RunStatus = "allocating" | "allocated" | "running" | "paused" | "complete" | "failed" | "cancelled";

/** `interrupted`: the process that drove it is no more. */
export type ShownStatus = RunStatus | "interrupted";

/** What a generation above the first runs again, and how. It stands from the moment that the generation is raised. */
export interface RetryPlan {
  /** The attempt that chose the specs: their file is named by it. */
  attempt: string;
  /** How many specs run again. */
  count: number;
  /** Kinds of failure that were chosen; null = all. */
  kinds: string[] | null;
  /** Time limit of one try, in this generation alone; null = the experiment's. */
  timeout_ms: number | null;
  started_at: string;
}

/** `state.yml`: what changes about a run. Written by compare-and-swap only. */
export interface RunState {
  status: RunStatus;
  /** Raised by whoever begins to drive the run; the highest alone may commit. */
  epoch: number;
  /** Raised by a retry of failed specs. */
  generation: number;
  /** Of the generation; absent in the first. */
  retry?: RetryPlan | null;
  engine: string | null;
  engine_run_id: string | null;
  /** Who drives it; null once it was left. On a cluster the engine does, and this is who began it. */
  owner: Owner | null;
  /** Failed specs after which the run stops: a number, or a share of all such as `1%`. */
  max_failures?: string | null;
  /** Why it was cancelled, if not by hand. */
  reason?: string | null;
  /** Who may write `final/` and the report: the last to have begun. */
  final_attempt?: string | null;
  updated_at: string;
}

/** Somebody drives the run, or did when he died. */
export function isDriven(status: ShownStatus): boolean {
  return status === "running" || status === "paused";
}

/** What a run without a report is doing. One without a state is Python Scythe's, which lists only what it finished. */
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
  return seal(stringify(state));
}

/** The run's state; undefined for a run that Python Scythe laid out, or none. */
export async function readState(storage: Storage, layout: RunLayout): Promise<RunState | undefined> {
  return (await readYaml<RunState>(storage, layout.state, { sealed: true }))?.value;
}

/**
 * Changes the state by compare-and-swap, again from the newest state when another writer was first.
 * @param change gives the new state, or undefined to leave it as it is
 */
export async function updateState(
  storage: Storage,
  layout: RunLayout,
  change: (state: RunState) => Partial<RunState> | undefined,
): Promise<RunState> {
  for (;;) {
    const found = await readYaml<RunState>(storage, layout.state, { sealed: true });
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
  /** Only when nobody has taken it over since this epoch. */
  since?: number;
  /** What else changes. */
  change?: Partial<RunState>;
}

/**
 * Begins to drive a run: raises its epoch, so that whoever drove it before has no effect from now on.
 * @throws ScytheError `conflict` when the run is complete, or somebody else was first
 */
export async function takeOver(
  storage: Storage,
  layout: RunLayout,
  engine: string,
  options: TakeOverOptions = {},
): Promise<RunState> {
  return updateState(storage, layout, (state) => {
    if (state.status === "complete") {
      throw new ScytheError("conflict", `Run ${layout.experimentId} is complete already`);
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
 * Makes `attempt` the only one that may write what is final about the run.
 * @throws ScytheError `conflict` as {@link assertEpoch}
 */
export async function beginFinal(storage: Storage, layout: RunLayout, epoch: number, attempt: string): Promise<void> {
  await updateState(storage, layout, (state) => {
    if (state.epoch > epoch) throw takenOver(layout, epoch, state);
    return { final_attempt: attempt };
  });
}

/** @throws ScytheError `conflict` when the run was taken over, or another attempt of this epoch has begun after this one */
export async function assertFinal(storage: Storage, layout: RunLayout, epoch: number, attempt: string): Promise<void> {
  const state = await assertEpoch(storage, layout, epoch);
  if (state && state.final_attempt !== attempt) {
    throw new ScytheError("conflict", `Run ${layout.experimentId} is finished by another worker`);
  }
}

/** The one error by which whoever drove a run learns that somebody else does. */
export function takenOver(layout: RunLayout, epoch: number, state: Pick<RunState, "epoch" | "owner">): ScytheError {
  const by = state.owner ? ` by ${ownerText(state.owner)}` : "";
  return new ScytheError("conflict", `Run ${layout.experimentId} was taken over${by}`, {
    hint: `What this process had finished is kept; it has no effect any more. See \`scythe watch ${layout.experimentId}\`.`,
    details: { epoch, current: state.epoch },
  });
}

/** Whether an error says that somebody else drives the run by now. */
export function isTakenOver(error: unknown): boolean {
  return isScytheError(error) && error.code === "conflict" && "current" in error.details;
}

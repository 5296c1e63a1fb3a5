import { hostname } from "node:os";
import { stringify } from "yaml";
import { ScytheError } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import type { RunLayout } from "./layout.ts";
import { readYaml } from "./yaml.ts";

export type RunStatus = "allocating" | "allocated" | "running" | "complete" | "failed" | "cancelled";

/** `state.yml`: what changes about a run. Written by compare-and-swap only. */
export interface RunState {
  status: RunStatus;
  /** Raised by whoever begins to drive the run; the highest alone may commit. */
  epoch: number;
  /** Raised by a retry of failed specs. */
  generation: number;
  engine: string | null;
  engine_run_id: string | null;
  /** Who drives it: for messages, never for decisions. */
  owner: { host: string; pid: number } | null;
  updated_at: string;
}

export function newState(): RunState {
  return {
    status: "allocating",
    epoch: 0,
    generation: 0,
    engine: null,
    engine_run_id: null,
    owner: { host: hostname(), pid: process.pid },
    updated_at: new Date().toISOString(),
  };
}

export function stateText(state: RunState): string {
  return stringify(state);
}

/** The run's state; undefined for a run that Python Scythe laid out, or none. */
export async function readState(storage: Storage, layout: RunLayout): Promise<RunState | undefined> {
  return (await readYaml<RunState>(storage, layout.state))?.value;
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
    const found = await readYaml<RunState>(storage, layout.state);
    if (!found) throw new ScytheError("not_found", `Run ${layout.experimentId} has no state.yml`);
    const state = found.value;
    const changed = change(state);
    if (!changed) return state;
    const next = { ...state, ...changed, updated_at: new Date().toISOString() };
    const { written } = await storage.put(layout.state, stateText(next), { ifMatch: found.etag });
    if (written) return next;
  }
}

/**
 * Begins to drive a run: raises its epoch, so that whoever drove it before has no effect from now on.
 * @throws ScytheError `conflict` when the run is complete
 */
export async function takeOver(storage: Storage, layout: RunLayout, engine: string): Promise<RunState> {
  return updateState(storage, layout, (state) => {
    if (state.status === "complete") {
      throw new ScytheError("conflict", `Run ${layout.experimentId} is complete already`);
    }
    return {
      status: "running",
      epoch: state.epoch + 1,
      engine,
      engine_run_id: null,
      owner: { host: hostname(), pid: process.pid },
    };
  });
}

/** @throws ScytheError `conflict` when another process has taken the run over since `epoch` */
export async function assertEpoch(storage: Storage, layout: RunLayout, epoch: number): Promise<void> {
  const state = await readState(storage, layout);
  if (state && state.epoch > epoch) {
    throw new ScytheError("conflict", `Run ${layout.experimentId} was taken over by another process`, {
      hint: `It is driven by process ${state.owner?.pid} on ${state.owner?.host} now.`,
      details: { epoch, current: state.epoch },
    });
  }
}

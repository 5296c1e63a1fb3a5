import type { Engine, EngineRun } from "../engine/engine.ts";
import type { ControlWatch } from "../run/control-watch.ts";
import type { RunState } from "../run/state.ts";
import type { Drives } from "./drives.ts";

/** The project that a run was found in: what is needed to drive the run and to reach its driver. */
export interface RunHome {
  /** The engine that this project drives runs on. */
  engine: Engine;
  /** Another engine that a run may use; undefined when this project has no access to it. */
  engineNamed(name: string): Engine | undefined;
  controls: ControlWatch;
  drives: Drives;
}

/** Opens the project's engine when it is first needed: reading a run needs none. */
export type OpenHome = () => Promise<RunHome>;

/** The engine's own run, if the engine outlives processes and can be reached. */
export async function engineRunOf(
  open: OpenHome | undefined,
  state: RunState | undefined,
): Promise<EngineRun | undefined> {
  if (!state?.engine_run_id || state.engine !== "hatchet") return undefined;
  const home = await open?.();
  return home
    ?.engineNamed(state.engine)
    ?.attach(state.engine_run_id)
    .catch(() => undefined);
}

import { getText, listAll, type Storage } from "../storage/storage.ts";
import { type ControlName, parseControl, type RunLayout } from "./layout.ts";
import { thisProcess } from "./owner.ts";

/** What any process may ask of the driver of a run. */
export type ControlRequest = Exclude<ControlName, "driver">;

/** The requests under `control/` to the driver of one epoch and to the workers that serve it. */
export interface Controls {
  /** `drain`: running specs finish. `now`: they are killed. */
  cancel: "no" | "drain" | "now";
  paused: boolean;
  /** Another process has taken the run over, at a later epoch. */
  superseded: boolean;
  /** The project was closed in this process. Only this process sets it. */
  closed: boolean;
}

export const NO_CONTROLS: Controls = { cancel: "no", paused: false, superseded: false, closed: false };

/** Sends a request to the driver of this epoch; drivers of later epochs do not see it. */
export async function request(
  storage: Storage,
  layout: RunLayout,
  epoch: number,
  what: ControlRequest,
  reason: string | null = null,
): Promise<void> {
  const { host, pid } = thisProcess();
  const text = JSON.stringify({ at: new Date().toISOString(), by: { host, pid }, reason });
  await storage.put(layout.controlOf(epoch, what), text, { ifAbsent: true });
}

export async function withdraw(
  storage: Storage,
  layout: RunLayout,
  epoch: number,
  what: ControlRequest,
): Promise<void> {
  await storage.delete([layout.controlOf(epoch, what)]);
}

/** One listing of a handful of keys. */
export async function readControls(storage: Storage, layout: RunLayout, epoch: number): Promise<Controls> {
  const found = (await listAll(storage, layout.control)).flatMap(({ key }) => parseControl(key) ?? []);
  const asked = new Set(found.filter((control) => control.epoch === epoch).map(({ what }) => what));
  const drain = asked.has("cancel") ? "drain" : "no";
  return {
    cancel: asked.has("cancel-now") ? "now" : drain,
    paused: asked.has("pause"),
    superseded: found.some((control) => control.epoch > epoch),
    closed: false,
  };
}

/** The reason given with a request to cancel; null when there is none. */
export async function cancelReason(storage: Storage, layout: RunLayout, epoch: number): Promise<string | null> {
  const found = await getText(storage, layout.controlOf(epoch, "cancel"));
  return found ? (JSON.parse(found.text) as { reason: string | null }).reason : null;
}

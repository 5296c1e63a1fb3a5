import { getText, listAll, type Storage } from "../storage/storage.ts";
import { type ControlName, parseControl, type RunLayout } from "./layout.ts";
import { thisProcess } from "./owner.ts";

/** What may be asked of whoever drives a run, from any process. */
export type ControlRequest = Exclude<ControlName, "driver">;

/** What the objects under `control/` say to the driver of one epoch, and to the workers that serve it. */
export interface Controls {
  /** `drain`: the specs in hand are finished. `now`: they are killed. */
  cancel: "no" | "drain" | "now";
  paused: boolean;
  /** Somebody has driven the run at a later epoch. */
  superseded: boolean;
  /** The project was closed in this process, which is all that may say so. */
  left: boolean;
}

export const NO_CONTROLS: Controls = { cancel: "no", paused: false, superseded: false, left: false };

/** Asks it of the driver of this epoch; a later one never hears of it. */
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
    left: false,
  };
}

/** Why a run was asked to stop, if whoever asked said so. */
export async function cancelReason(storage: Storage, layout: RunLayout, epoch: number): Promise<string | null> {
  const found = await getText(storage, layout.controlOf(epoch, "cancel"));
  return found ? (JSON.parse(found.text) as { reason: string | null }).reason : null;
}

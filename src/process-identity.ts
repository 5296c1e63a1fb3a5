import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { platform } from "./platform/current.ts";
import { UNKNOWN } from "./platform/platform.ts";

/**
 * Identifies a process by its machine, its id and its start time. The one definition used for drivers of runs and for
 * writers of temporary files.
 */

/**
 * Identifies this boot of this machine, and the container in it: process ids are valid only within one. Host names
 * change with networks and may be equal on two hosts. Null where the system does not provide a boot id.
 */
export function thisMachine(): string | null {
  machine ??= { id: platform.bootId() };
  return machine.id;
}

let machine: { id: string | null } | undefined;

/**
 * Whether process ids of that machine are valid here.
 * @param id from {@link thisMachine} of that process
 */
export function isThisMachine(id: string | null | undefined, host: string): boolean {
  const own = thisMachine();
  return id && own ? id === own : host === hostname();
}

/** The machine's id, short enough for a file name. */
export function machineMark(id = thisMachine(), host = hostname()): string {
  return hashed(id ?? `host ${host}`);
}

export const UNKNOWN_START = "0";

/** A process's start time, in digits for a file name; undefined for one that has ended. */
export function startMark(pid: number): string | undefined {
  const started = platform.startOf(pid);
  if (started === UNKNOWN) return UNKNOWN_START;
  return started === undefined || /^\d+$/.test(started) ? started : String(Number.parseInt(hashed(started), 16));
}

function hashed(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

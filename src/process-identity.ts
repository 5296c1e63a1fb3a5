import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { platform } from "./platform/current.ts";
import { UNKNOWN } from "./platform/platform.ts";

/**
 * What tells a process from all others: the machine it runs on, its id, and when it began. Whoever drives a run and whoever
 * writes an unfinished file are known by this one definition.
 */

/**
 * This boot of this machine, and in it the container: process ids mean something within one only. Names of hosts change
 * with networks, and two hosts may share one. Null where the system tells of no boot.
 */
export function thisMachine(): string | null {
  machine ??= { id: platform.bootId() };
  return machine.id;
}

let machine: { id: string | null } | undefined;

/** Whether ids of processes there mean processes here. @param id as {@link thisMachine} gave it there */
export function isThisMachine(id: string | null | undefined, host: string): boolean {
  const own = thisMachine();
  return id && own ? id === own : host === hostname();
}

/** The machine, short enough for a file's name. */
export function machineMark(id = thisMachine(), host = hostname()): string {
  return hashed(id ?? `host ${host}`);
}

export const UNKNOWN_START = "0";

/** When the process with this id began, in digits for a file's name; undefined for one that has ended. */
export function startMark(pid: number): string | undefined {
  const started = platform.startOf(pid);
  if (started === UNKNOWN) return UNKNOWN_START;
  return started === undefined || /^\d+$/.test(started) ? started : String(Number.parseInt(hashed(started), 16));
}

function hashed(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

import { hostname } from "node:os";
import { platform as ours } from "../platform/current.ts";
import { type Platform, UNKNOWN } from "../platform/platform.ts";
import { isThisMachine, thisMachine } from "../process-identity.ts";

/** The process that drives a run, told apart from a later one that was given its pid. */
export interface Owner {
  host: string;
  pid: number;
  /** This boot of this machine, and the container in it: pids mean something within one only. Null where unknown. */
  machine?: string | null;
  /** When the process began, as its system tells it; opaque, and no matter of the clock on Linux. */
  started?: string | null;
  /** When it began to drive the run: for people. */
  since?: string;
}

/**
 * `here`: it runs on this machine. `gone`: it did. `elsewhere`: only its heartbeat can tell, as for a process whose id is
 * in use here where the system does not say since when.
 */
export type Presence = "here" | "gone" | "elsewhere";

export function thisProcess(): Owner {
  return {
    host: hostname(),
    pid: process.pid,
    machine: thisMachine(),
    started: ours.startOf(process.pid) ?? null,
    since: new Date().toISOString(),
  };
}

export function presenceOf(owner: Owner, platform: Platform = ours): Presence {
  if (!isThisMachine(owner.machine, owner.host)) return "elsewhere";
  const started = platform.startOf(owner.pid);
  if (started === undefined) return "gone";
  if (started === UNKNOWN) return owner.pid === process.pid ? "here" : "elsewhere";
  return owner.started && owner.started !== started ? "gone" : "here";
}

/** `process 4711 on crunch, since 2026-01-31T12:00:00.000Z` */
export function ownerText({ host, pid, since }: Owner): string {
  return `process ${pid} on ${host}${since ? `, since ${since}` : ""}`;
}

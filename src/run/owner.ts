import { hostname } from "node:os";
import { platform as ours } from "../platform/current.ts";
import { type Platform, UNKNOWN } from "../platform/platform.ts";
import { isThisMachine, thisMachine } from "../process-identity.ts";

/** The process that drives a run. `started` tells it from a later process with the same pid. */
export interface Owner {
  host: string;
  pid: number;
  /**
   * Id of this boot of this machine, and of the container in it: pids mean something only within one. Null where
   * unknown.
   */
  machine?: string | null;
  /** When the process started, as the operating system reports it. Opaque; on Linux it does not depend on the clock. */
  started?: string | null;
  /** When it started to drive the run; only for display. */
  since?: string;
}

/**
 * `here`: it runs on this machine. `gone`: it ran here and has ended. `elsewhere`: on another machine, where only its
 * heartbeat can tell.
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

import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { isThere, procStat } from "../proc-stat.ts";

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

/** `here`: it runs on this machine. `gone`: it did. `elsewhere`: only its heartbeat can tell. */
export type Presence = "here" | "gone" | "elsewhere";

export function thisProcess(): Owner {
  return {
    host: hostname(),
    pid: process.pid,
    machine: thisMachine(),
    started: startOf(process.pid) ?? null,
    since: new Date().toISOString(),
  };
}

export function presenceOf(owner: Owner): Presence {
  const machine = thisMachine();
  // A laptop's name changes with its network, and two machines may share one: the boot decides where it is known.
  const same = owner.machine && machine ? owner.machine === machine : owner.host === hostname();
  if (!same) return "elsewhere";
  const started = startOf(owner.pid);
  if (started === undefined) return "gone";
  return owner.started && owner.started !== started ? "gone" : "here";
}

/** `process 4711 on crunch, since 2026-01-31T12:00:00.000Z` */
export function ownerText({ host, pid, since }: Owner): string {
  return `process ${pid} on ${host}${since ? `, since ${since}` : ""}`;
}

function thisMachine(): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return null;
  }
}

/** When the process with this pid began; undefined when there is none, or it has ended. */
function startOf(pid: number): string | undefined {
  const stat = procStat(pid);
  if (stat) return stat.isDead ? undefined : stat.started;
  return isThere(pid) ? startByPs(pid) : undefined;
}

/** Empty where even `ps` cannot tell: then a reused pid is taken for its owner. */
function startByPs(pid: number): string {
  try {
    const options = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, LC_ALL: "C" } };
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], options as never)
      .toString()
      .trim();
  } catch {
    return "";
  }
}

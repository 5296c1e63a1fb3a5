import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { isThere, procStat } from "./proc-stat.ts";

/**
 * What tells a process from all others: the machine it runs on, its id, and when it began. Whoever drives a run and whoever
 * writes an unfinished file are known by this one definition.
 */

/**
 * This boot of this machine, and in it the container: process ids mean something within one only. Names of hosts change
 * with networks, and two hosts may share one. Null where the system tells of no boot.
 */
export function thisMachine(): string | null {
  machine ??= { id: readMachine() };
  return machine.id;
}

let machine: { id: string | null } | undefined;

function readMachine(): string | null {
  try {
    if (process.platform === "darwin") return output("sysctl", ["-n", "kern.bootsessionuuid"]) || null;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return null;
  }
}

/** Whether ids of processes there mean processes here. @param id as {@link thisMachine} gave it there */
export function isThisMachine(id: string | null | undefined, host: string): boolean {
  const own = thisMachine();
  return id && own ? id === own : host === hostname();
}

/** The machine, short enough for a file's name. */
export function machineMark(id = thisMachine(), host = hostname()): string {
  return hashed(id ?? `host ${host}`);
}

/** When the process with this id began, opaque, and no matter of the clock on Linux; undefined for one that has ended. */
export function startOf(pid: number): string | undefined {
  const stat = procStat(pid);
  if (stat) return stat.isDead ? undefined : stat.started;
  return isThere(pid) ? startByPs(pid) : undefined;
}

export const UNKNOWN_START = "0";

/** {@link startOf} in digits, for a file's name. */
export function startMark(pid: number): string | undefined {
  const started = startOf(pid);
  if (started === "") return UNKNOWN_START;
  return started === undefined || /^\d+$/.test(started) ? started : String(Number.parseInt(hashed(started), 16));
}

function hashed(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** Empty where even `ps` cannot tell: then a reused id is taken for its owner. */
function startByPs(pid: number): string {
  try {
    return output("ps", ["-o", "lstart=", "-p", String(pid)]);
  } catch {
    return "";
  }
}

function output(command: string, args: string[]): string {
  const env = { ...process.env, LC_ALL: "C" };
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], env }).trim();
}

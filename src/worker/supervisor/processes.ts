import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { procStat } from "../../proc-stat.ts";

/** Names, in the environment of a worker's process and of all that it starts, whose they are. */
export const OWNER_VARIABLE = "SCYTHE_PROCESS_OWNER";

/** A process of this machine, as far as it matters whose it is. */
interface ProcessInfo {
  pid: number;
  parent: number;
  group: number;
}

const LINUX = process.platform === "linux";

/**
 * What a worker's process has started and left running, however far it has gone: its descendants, what is in its group,
 * and (on Linux) what has taken leave of both (`setsid`, a double fork) but still carries the owner's name in its
 * environment. A few milliseconds: for when a process ends, not for every spec.
 */
export function startedBy(leader: number, owner: string): number[] {
  if (process.platform === "win32") return [];
  const all = LINUX ? listProc() : listPs();
  const own = new Set([leader]);
  for (let before = 0; before < own.size; ) {
    before = own.size;
    for (const { pid, parent, group } of all) if (own.has(parent) || group === leader) own.add(pid);
  }
  if (LINUX) for (const { pid } of all) if (!own.has(pid) && isMarked(pid, owner)) own.add(pid);
  own.delete(leader);
  own.delete(process.pid);
  return [...own];
}

/** What dies can leave a child that was just being made, so it is looked for again until there is none. */
const ROUNDS = 5;

/** Kills a worker's process and all that it started. */
export function killAll(leader: number, owner: string): void {
  const started = startedBy(leader, owner); // found while the leader lives: then they are orphans, and hard to tell
  kill(-leader);
  kill(leader);
  for (let round = 0, left = started; left.length > 0 && round < ROUNDS; round++) {
    for (const pid of left) kill(pid);
    left = LINUX ? startedBy(leader, owner).filter((pid) => !isDead(pid)) : [];
  }
}

/** Kills what a process that is gone has left running. Its own id may be another's by now, so it is not touched. */
export function killLeftovers(leader: number, owner: string): void {
  kill(-leader); // a group's number is not given away while one of it lives
  if (LINUX) for (const pid of listProc().map((found) => found.pid)) if (isMarked(pid, owner)) kill(pid);
}

/** Resident memory of processes and their descendants, in bytes; undefined where this system cannot tell. */
export function residentBytes(roots: readonly number[]): number | undefined {
  if (process.platform === "win32") return undefined;
  return LINUX ? sum(withDescendants(roots), "status", "VmRSS") : residentByPs(roots);
}

/** The same with each process's share of what it has in common with others, as after a fork: ten times as dear. */
export function proportionalBytes(roots: readonly number[]): number | undefined {
  return LINUX ? sum(withDescendants(roots), "smaps_rollup", "Pss") : undefined;
}

function sum(pids: Iterable<number>, file: string, field: string): number {
  let bytes = 0;
  const line = new RegExp(`^${field}:\\s+(\\d+) kB`, "m");
  for (const pid of pids) bytes += Number(line.exec(read(`/proc/${pid}/${file}`))?.[1] ?? 0) * 1024;
  return bytes;
}

function withDescendants(roots: readonly number[]): Set<number> {
  const members = new Set(roots);
  for (const pid of members) for (const child of childrenOf(pid)) members.add(child); // grows as it goes
  return members;
}

/** Each thread lists what it has started. */
function childrenOf(pid: number): number[] {
  return folder(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number),
  );
}

/** Processes that the system itself has killed for want of memory since it started; undefined where it does not count. */
export function systemMemoryKills(): number | undefined {
  const match = LINUX ? /^oom_kill (\d+)/m.exec(read("/proc/vmstat")) : null;
  return match ? Number(match[1]) : undefined;
}

function listProc(): ProcessInfo[] {
  return folder("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = procStat(Number(name));
    return stat ? [{ pid: Number(name), parent: stat.parent, group: stat.group }] : [];
  });
}

function isMarked(pid: number, owner: string): boolean {
  return read(`/proc/${pid}/environ`).split("\0").includes(`${OWNER_VARIABLE}=${owner}`);
}

/** Killed, but perhaps not yet waited for by its parent. */
function isDead(pid: number): boolean {
  return procStat(pid)?.isDead ?? true;
}

/** macOS has no /proc. */
function ps(): number[][] {
  try {
    const text = execFileSync("ps", ["-axo", "pid=,ppid=,pgid=,rss="], { encoding: "utf8" });
    return text.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  } catch {
    return [];
  }
}

function listPs(): ProcessInfo[] {
  return ps().map(([pid, parent, group]) => ({ pid: pid!, parent: parent!, group: group! }));
}

function residentByPs(roots: readonly number[]): number {
  const own = new Set(roots);
  let bytes = 0;
  for (const [pid, parent, group, kb] of ps()) {
    if (!own.has(pid!) && !own.has(parent!) && !own.has(group!)) continue;
    own.add(pid!);
    bytes += kb! * 1024;
  }
  return bytes;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // gone by now, or somebody else's
  }
}

function folder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // gone already
  }
}

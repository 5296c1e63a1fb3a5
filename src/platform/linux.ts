import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { OWNER_VARIABLE, type Platform, UNKNOWN } from "./platform.ts";
import { familyOf, isThere, kill, killFamily, type ListedProcess } from "./processes.ts";
import { unix } from "./unix.ts";

/** Linux, by `/proc`. Of processes hidden by `hidepid`, only their existence is known. */
export const linux: Platform = {
  ...unix,

  bootId() {
    try {
      const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
    } catch {
      return null;
    }
  },

  /** In ticks since boot, independent of the clock. */
  startOf(pid) {
    const stat = statOf(pid);
    if (stat) return stat.isDead ? undefined : stat.started;
    return isThere(pid) ? UNKNOWN : undefined;
  },

  /**
   * Finds all descendants, members of the group, and processes that have left both (`setsid`, a double fork) but still
   * have the owner's variable in their environment. Takes a few milliseconds: for the end of a process, not for every
   * spec.
   */
  startedBy(leader, owner) {
    const all = listed();
    const own = familyOf(leader, all);
    for (const { pid } of all) if (!own.has(pid) && isMarked(pid, owner)) own.add(pid);
    own.delete(leader);
    own.delete(process.pid);
    return [...own];
  },

  killTree(leader, owner) {
    killFamily(leader, () => linux.startedBy(leader, owner).filter((pid) => !(statOf(pid)?.isDead ?? true)));
  },

  killLeftovers(leader, owner) {
    kill(-leader); // a group's id is not reused while a member lives
    for (const { pid } of listed()) if (isMarked(pid, owner)) kill(pid);
  },

  residentBytes: (roots) => sum(withDescendants(roots), "status", "VmRSS"),

  proportionalBytes: (roots) => sum(withDescendants(roots), "smaps_rollup", "Pss"),

  memoryKills() {
    const match = /^oom_kill (\d+)/m.exec(read("/proc/vmstat"));
    return match ? Number(match[1]) : undefined;
  },

  memoryLookMs: 100, // one reading takes a tenth of a millisecond
};

interface Stat {
  /** A zombie: ended, but not yet reaped by its parent. */
  isDead: boolean;
  parent: number;
  group: number;
  started: string;
}

/** proc(5), `/proc/<pid>/stat`; undefined for a process that has ended, and without `/proc`. */
function statOf(pid: number): Stat | undefined {
  const text = read(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" "); // its name may contain anything, even `)`
  const [state, parent, group] = fields;
  const started = fields[19];
  if (started === undefined) return undefined;
  return { isDead: state === "Z" || state === "X", parent: Number(parent), group: Number(group), started };
}

function listed(): ListedProcess[] {
  return folder("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = statOf(Number(name));
    return stat ? [{ pid: Number(name), parent: stat.parent, group: stat.group }] : [];
  });
}

function isMarked(pid: number, owner: string): boolean {
  return read(`/proc/${pid}/environ`).split("\0").includes(`${OWNER_VARIABLE}=${owner}`);
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

/** Each thread lists the children it has started. */
function childrenOf(pid: number): number[] {
  return folder(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number),
  );
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended, or belongs to another user
  }
}

function folder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

import { readFileSync } from "node:fs";

/** What Linux tells of a process: proc(5), `/proc/<pid>/stat`. */
export interface ProcStat {
  /** Ended, but its parent has not asked how. */
  isDead: boolean;
  parent: number;
  group: number;
  /** When it began, in ticks since the machine did: no matter of the clock. */
  started: string;
}

/** Undefined for a process that is no more, and where there is no `/proc`. */
export function procStat(pid: number): ProcStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" "); // its name may hold anything, `)` too
    const [state, parent, group] = fields;
    const started = fields[19];
    if (started === undefined) return undefined;
    return { isDead: state === "Z" || state === "X", parent: Number(parent), group: Number(group), started };
  } catch {
    return undefined;
  }
}

/** Also of somebody else's; a process that has ended is there until its parent has asked how. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

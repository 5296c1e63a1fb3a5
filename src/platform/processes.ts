import { execFileSync } from "node:child_process";

/** Options for all child processes: no window on Windows. `fork` passes it to `spawn`, but its type omits it. */
export const NO_WINDOW: { windowsHide: true } = { windowsHide: true };

/** A process as listed by the system. */
export interface ListedProcess {
  pid: number;
  parent: number;
  group: number;
}

/** Whether a process exists, also one of another user; a zombie exists until its parent reaps it. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A negative id is that of a group. */
export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has already ended
  }
}

/** A process, its descendants and the members of its group. */
export function familyOf(leader: number, all: readonly ListedProcess[]): Set<number> {
  const family = new Set([leader]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const { pid, parent, group } of all) if (family.has(parent) || group === leader) family.add(pid);
  }
  return family;
}

/** A dying process may leave a child that it was just creating, so the search is repeated until none is left. */
const ROUNDS = 5;

/** @param startedBy finds the processes started by `leader` that are still alive */
export function killFamily(leader: number, startedBy: () => number[]): void {
  const started = startedBy(); // found while the leader lives: afterwards they are orphans and hard to attribute
  kill(-leader);
  kill(leader);
  for (let round = 0, left = started; left.length > 0 && round < ROUNDS; round++) {
    for (const pid of left) kill(pid);
    left = startedBy();
  }
}

/** The output of a system command; undefined when it is missing or fails. */
export function output(command: string, args: readonly string[]): string | undefined {
  try {
    const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
    const stdio = ["ignore", "pipe", "ignore"] as const;
    return execFileSync(command, args, { encoding: "utf8", stdio: [...stdio], env, ...NO_WINDOW }).trim();
  } catch {
    return undefined;
  }
}

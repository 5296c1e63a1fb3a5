import { execFileSync } from "node:child_process";

/** For all that is started: no window of its own on Windows. `fork` takes it as `spawn` does, but its type does not say so. */
export const NO_WINDOW: { windowsHide: true } = { windowsHide: true };

/** A process as the system lists it. */
export interface ListedProcess {
  pid: number;
  parent: number;
  group: number;
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

/** Of a group, when negative. */
export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // gone already
  }
}

/** A process's descendants and what is in its group, itself included. */
export function familyOf(leader: number, all: readonly ListedProcess[]): Set<number> {
  const family = new Set([leader]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const { pid, parent, group } of all) if (family.has(parent) || group === leader) family.add(pid);
  }
  return family;
}

/** What dies can leave a child that was just being made, so it is looked for again until there is none. */
const ROUNDS = 5;

/** @param startedBy finds what still lives of what `leader` started */
export function killFamily(leader: number, startedBy: () => number[]): void {
  const started = startedBy(); // found while the leader lives: then they are orphans, and hard to tell
  kill(-leader);
  kill(leader);
  for (let round = 0, left = started; left.length > 0 && round < ROUNDS; round++) {
    for (const pid of left) kill(pid);
    left = startedBy();
  }
}

/** What a command of the system prints; undefined when there is none, or it fails. */
export function output(command: string, args: readonly string[]): string | undefined {
  try {
    const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
    const stdio = ["ignore", "pipe", "ignore"] as const;
    return execFileSync(command, args, { encoding: "utf8", stdio: [...stdio], env, ...NO_WINDOW }).trim();
  } catch {
    return undefined;
  }
}

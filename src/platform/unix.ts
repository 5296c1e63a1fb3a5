import { type Platform, UNKNOWN } from "./platform.ts";
import { familyOf, isThere, kill, killFamily, type ListedProcess, output } from "./processes.ts";

/**
 * Any Unix, by `ps` alone. It shows no environments, so what has left its parent and its group (`setsid`, a double fork)
 * is not found; it says when a process began to the second; and each look costs a process.
 */
export const unix: Platform = {
  bootId: () => null,

  startOf(pid) {
    if (!isThere(pid)) return undefined;
    const [, state, started] =
      /^(\S+)\s+(.*)$/.exec(output("ps", ["-o", "stat=,lstart=", "-p", String(pid)]) ?? "") ?? [];
    if (started === undefined) return isThere(pid) ? UNKNOWN : undefined;
    return isDead(state!) ? undefined : started;
  },

  killTarget: (pid) => -pid,

  startedBy(leader) {
    const own = familyOf(leader, listed());
    own.delete(leader);
    own.delete(process.pid);
    return [...own];
  },

  killTree(leader) {
    killFamily(leader, () => unix.startedBy(leader, ""));
  },

  killLeftovers(leader) {
    kill(-leader); // a group's number is not given away while one of it lives
  },

  residentBytes(roots) {
    const all = listed();
    const own = new Set(roots.flatMap((root) => [...familyOf(root, all)]));
    return all.reduce((bytes, { pid, resident }) => (own.has(pid) ? bytes + resident : bytes), 0);
  },

  proportionalBytes: () => undefined,
  memoryKills: () => undefined,
  memoryLookMs: 1_000,
  interruptions: ["SIGINT", "SIGTERM"],
  folderTaken: ["ENOTEMPTY", "EEXIST", "ENOTDIR"],
  shellWord: (text) => (/^[\w./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`),
  ignoresCaseOfVariables: false,
};

/** Those that live. */
function listed(): (ListedProcess & { resident: number })[] {
  const lines = (output("ps", ["-A", "-o", "pid=,ppid=,pgid=,rss=,stat="]) ?? "").split("\n");
  return lines.flatMap((line) => {
    const [pid, parent, group, kb, state = "Z"] = line.trim().split(/\s+/);
    if (isDead(state)) return [];
    return { pid: Number(pid), parent: Number(parent), group: Number(group), resident: Number(kb) * 1024 };
  });
}

/** Ended, but its parent has not asked how. */
function isDead(state: string): boolean {
  return /^[ZX]/.test(state);
}

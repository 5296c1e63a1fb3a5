import { type Platform, UNKNOWN } from "./platform.ts";
import { familyOf, isThere, kill, killFamily, type ListedProcess, output } from "./processes.ts";

/**
 * Any Unix, using only `ps`. It shows no environments, so processes that have left their parent and group (`setsid`, a
 * double fork) are not found. Start times have a resolution of one second, and every call starts a process.
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
    kill(-leader); // a group's id is not reused while a member lives
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
  fileOpen: [],
  shellWord: (text) => (/^[\w./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`),
  ignoresCaseOfVariables: false,
};

/** The processes that are alive. */
function listed(): (ListedProcess & { resident: number })[] {
  const lines = (output("ps", ["-A", "-o", "pid=,ppid=,pgid=,rss=,stat="]) ?? "").split("\n");
  return lines.flatMap((line) => {
    const [pid, parent, group, kb, state = "Z"] = line.trim().split(/\s+/);
    if (isDead(state)) return [];
    return { pid: Number(pid), parent: Number(parent), group: Number(group), resident: Number(kb) * 1024 };
  });
}

/** A zombie: ended, but not yet reaped by its parent. */
function isDead(state: string): boolean {
  return /^[ZX]/.test(state);
}

import { type Platform, UNKNOWN } from "./platform.ts";
import { isThere, kill, output } from "./processes.ts";

/**
 * Windows. It has no process groups and only slow tools to list processes, so start times and memory are not read (a
 * driver whose id is in use is judged by its heartbeat). A spec's own child processes end with their parent, as Node
 * puts them into a job object; `taskkill` finds those of other programs while that parent lives.
 */
export const windows: Platform = {
  bootId: () => null,
  startOf: (pid) => (isThere(pid) ? UNKNOWN : undefined),
  killTarget: (pid) => pid,
  startedBy: () => [],

  killTree(leader) {
    output("taskkill", ["/pid", String(leader), "/t", "/f"]);
    kill(leader);
  },

  killLeftovers: () => undefined,
  residentBytes: () => undefined,
  proportionalBytes: () => undefined,
  memoryKills: () => undefined,
  memoryLookMs: 1_000,
  interruptions: ["SIGINT", "SIGTERM", "SIGBREAK"],
  folderTaken: ["ENOTEMPTY", "EEXIST", "ENOTDIR", "EPERM", "EACCES"],
  fileOpen: ["EPERM", "EACCES", "EBUSY"],
  /** As both `cmd` and PowerShell take it. */
  shellWord: (text) => (/^[\w./\\@:+-]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`),
  ignoresCaseOfVariables: true,
};

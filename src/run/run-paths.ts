import { isPlainName } from "../schema/plain-name.ts";
import { parseExperimentId } from "./layout.ts";

/** What a file of a run belongs to. `tree`: scatter-gather/; `about`: what describes the run; `other`: nothing of a run. */
export type RunFolder = "about" | "final" | "results" | "artifacts" | "specs" | "tree" | "other";

const ABOUT =
  /^((manifest|state|report|experiment_io_spec|input_artifacts|workflow_spec)\.yml|output_artifacts\.pq|history\/g\d+\/(errors\.pq|report\.yml))$/;

/**
 * What a path within a run is. Whoever may write to a storage can put anything beside a run, and what is brought from there
 * must not become somebody's project, so that only what a run is made of is anything but `other`.
 */
export function folderOf(path: string): RunFolder {
  if (path === "specs.pq") return "specs";
  if (ABOUT.test(path)) return "about";
  if (path.startsWith("scatter-gather/")) return "tree";
  if (!path.split("/").every(isPlainName)) return "other";
  if (/^final\/[^/]+\.pq$/.test(path)) return "final";
  const [, folder] = /^(results|artifacts)\/[^/]+\/./.exec(path) ?? [];
  return (folder as "results" | "artifacts" | undefined) ?? "other";
}

/** True for the key of a table or file of some run. */
export function isRunFileKey(key: string): boolean {
  const [name, version, timestamp, ...path] = key.split("/");
  if (!parseExperimentId([name, version, timestamp].join("/"))) return false;
  return ["final", "results", "artifacts", "specs"].includes(folderOf(path.join("/")));
}

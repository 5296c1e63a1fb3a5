import { isPlainName } from "../schema/plain-name.ts";
import { parseExperimentId } from "./layout.ts";

/** The kinds of files that a run has, beside the small ones that describe it. */
export const RUN_PARTS = ["final", "results", "artifacts", "specs"] as const;
/** One of {@link RUN_PARTS}. */
export type RunPart = (typeof RUN_PARTS)[number];

/** What a file of a run belongs to. `tree`: scatter-gather/; `about`: what describes the run; `other`: nothing of a run. */
export type RunFolder = "about" | "final" | "results" | "artifacts" | "specs" | "tree" | "other";

const ABOUT =
  /^((manifest|state|report|experiment_io_spec|input_artifacts|workflow_spec|study)\.yml|output_artifacts\.pq|history\/g\d+\/(errors\.pq|report\.yml))$/;

/**
 * Classifies a path within a run. Anyone who may write to a storage can add files next to a run, and a download must
 * not turn them into a project on the user's disk. So only known paths are anything but `other`.
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

/** Whether a key is that of a run's table or file. */
export function isRunFileKey(key: string): boolean {
  const [name, version, timestamp, ...path] = key.split("/");
  if (!parseExperimentId([name, version, timestamp].join("/"))) return false;
  return ["final", "results", "artifacts", "specs"].includes(folderOf(path.join("/")));
}

import { randomInt } from "node:crypto";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { assertName } from "../experiment/names.ts";
import { assertKnownKeys, type Keys } from "../known-keys.ts";
import { type FailureLimit, failureLimitText } from "../run/failure-limit.ts";
import { parseExperimentId } from "../run/layout.ts";
import type { Recursion } from "../run/manifest.ts";
import type { VersionRequest } from "../run/version.ts";

/** How a run is made of its specs, and under which version and name it is stored. */
export interface AllocateOptions {
  /** A bump of the latest version (default `bumpmajor`, as in Python Scythe), `keep`, or an explicit `v1.2.3`. */
  version?: VersionRequest;
  /** Shape of the tree; default `{ factor: 10, maxDepth: 0 }`. If given, both fields are required. */
  recursion?: { factor: number; maxDepth: number };
  /** Stores the run under another name than the experiment's. */
  runName?: string;
  /** Seed of every spec's random numbers, an integer from 0 to 2^53 − 1; drawn and recorded by default. */
  seed?: number;
  /** Keeps the `sort_index` given in the specs instead of numbering them. */
  keepSortIndex?: boolean;
  /** Specs per chunk; by default measured while the run progresses. */
  chunkSize?: number;
  /**
   * Stops the run, keeping finished work, when more specs fail than this number or share (`1%`). By default failures
   * never stop it.
   */
  maxFailures?: FailureLimit;
  /** Also stores `http(s)://` and `s3://` input files with the run, instead of leaving the references as they are. */
  copyInputs?: boolean;
  /** Folders that a spec file may refer to, besides its own, the project's and those of the config. */
  allowPaths?: readonly string[];
  /** The `experiment_id` of the run that this one continues, recorded for its lineage. */
  parentRun?: string;
  /** The command line that led here, recorded for the run's lineage. Must not contain secrets. */
  command?: string;
  /** The text of the study file that the specs come from; the run keeps it as `study.yml`. */
  study?: string;
  /** Called as input files are stored. */
  onArtifact?: (stored: number, total: number) => void;
  /** Called when part of a spec file is ignored or converted, such as a column that only numbers the rows. */
  onNotice?: (message: string) => void;
  /** Cancels the allocation before anything is stored, also while the source of specs stalls. */
  signal?: AbortSignal;
}

export interface CheckedOptions {
  name: string;
  version: VersionRequest;
  recursion: Recursion;
  seed: number;
  chunkSize: number | null;
  keepSortIndex: boolean;
  parentRun: string | null;
  command: string | null;
  study: string | undefined;
  maxFailures: string | null;
  onArtifact: AllocateOptions["onArtifact"];
}

const OPTIONS: Keys<AllocateOptions> = {
  version: true,
  recursion: true,
  runName: true,
  seed: true,
  keepSortIndex: true,
  chunkSize: true,
  maxFailures: true,
  copyInputs: true,
  allowPaths: true,
  parentRun: true,
  command: true,
  study: true,
  onArtifact: true,
  onNotice: true,
  signal: true,
};

/** @throws ScytheError `invalid_input` naming the option */
export function checkAllocateOptions(experiment: AnyExperiment, options: AllocateOptions): CheckedOptions {
  assertKnownKeys(options, OPTIONS, "allocate");
  assertKnownKeys(options.recursion, { factor: true, maxDepth: true }, "allocate: recursion");
  const name = options.runName ?? experiment.name;
  if (options.runName !== undefined) assertName(name, "runName");
  const { factor, maxDepth } = options.recursion ?? { factor: 10, maxDepth: 0 };
  whole(factor, 1, 10_000, "recursion.factor");
  whole(maxDepth, 0, 10, "recursion.maxDepth");
  if (options.chunkSize !== undefined) whole(options.chunkSize, 1, 10_000_000, "chunkSize");
  if (options.parentRun !== undefined && !parseExperimentId(options.parentRun)) {
    throw new ScytheError("invalid_input", `parentRun ${JSON.stringify(options.parentRun)} is not an experiment_id`, {
      hint: "Give a run's experiment_id, as `scythe list` prints it.",
    });
  }
  if (options.seed !== undefined) whole(options.seed, 0, Number.MAX_SAFE_INTEGER, "seed");
  return {
    name,
    version: options.version ?? "bumpmajor",
    recursion: { factor, max_depth: maxDepth },
    seed: options.seed ?? randomInt(2 ** 47),
    chunkSize: options.chunkSize ?? null,
    keepSortIndex: options.keepSortIndex ?? false,
    parentRun: options.parentRun ?? null,
    command: options.command ?? null,
    study: options.study,
    maxFailures: options.maxFailures === undefined ? null : failureLimitText(options.maxFailures),
    onArtifact: options.onArtifact,
  };
}

function whole(value: unknown, low: number, high: number, what: string): void {
  if (Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high) return;
  throw new ScytheError("invalid_input", `${what} must be a whole number from ${low} to ${high}, not ${value}`, {
    hint: what.startsWith("recursion") ? "Give both: recursion: { factor: 32, maxDepth: 1 }." : "Change the option.",
  });
}

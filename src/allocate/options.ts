import { randomInt } from "node:crypto";
import { ScytheError } from "../errors.ts";
import { type AnyExperiment, assertName } from "../experiment/define.ts";
import { assertKnownKeys, type Keys } from "../known-keys.ts";
import { type FailureLimit, failureLimitText } from "../run/failure-limit.ts";
import { parseExperimentId } from "../run/layout.ts";
import type { Recursion } from "../run/manifest.ts";
import type { VersionRequest } from "../run/version.ts";

export interface AllocateOptions {
  /** A bump of the latest version (default `bumpmajor`, as in Python Scythe), `keep`, or an explicit `v1.2.3`. */
  version?: VersionRequest;
  /** Shape of the tree; left out = `{ factor: 10, maxDepth: 0 }`. Given, both must be. */
  recursion?: { factor: number; maxDepth: number };
  /** Puts the run under another name than the experiment's. */
  runName?: string;
  /** Seed of every spec's random numbers, a whole number from 0 to 2^53 − 1; drawn and recorded when left out. */
  seed?: number;
  /** Keeps the `sort_index` that specs bring along instead of numbering them. */
  keepSortIndex?: boolean;
  /** Specs of a chunk; measured when left out. */
  chunkSize?: number;
  /**
   * Failed specs, or the share of all (`1%`), that the run may have: with more it stops, keeping what is done. Left out, it
   * goes on whatever fails.
   */
  maxFailures?: FailureLimit;
  /** Stores `http(s)://` and `s3://` input files with the run, too, instead of leaving the references as they are. */
  copyInputs?: boolean;
  /** Folders that a spec file may refer to, beside its own, the project's and those of the config. */
  allowPaths?: readonly string[];
  /** The `experiment_id` of the run that this one goes on from, for its lineage. */
  parentRun?: string;
  /** What was typed to get here, for the run's lineage; must hold no secrets. */
  command?: string;
  /** Told of input files as they are stored. */
  onArtifact?: (stored: number, total: number) => void;
  /** Told of what in a spec file was not taken as it is: a column that only numbers the rows, say. */
  onNotice?: (message: string) => void;
  /** Ends the allocation before anything is stored, also while the source of specs gives nothing. */
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

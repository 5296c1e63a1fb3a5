import { stringify } from "yaml";
import type { Storage } from "../storage/storage.ts";
import { addChecksum } from "./checksum.ts";
import type { RunLayout } from "./layout.ts";
import { type RunState, readState } from "./state.ts";
import { readYaml } from "./yaml.ts";

/** A file of `final/` as it was written. */
export interface FinalFile {
  name: string;
  rows: number;
  bytes: number;
  sha256: string;
}

/** One generation: the first ran every spec, each later one the specs that had failed. */
export interface GenerationRecord {
  generation: number;
  /** How many specs ran, and how they ended. */
  specs: number;
  succeeded: number;
  failed: number;
  failed_by_kind: Record<string, number>;
  /** Kinds of failure that were retried; null = all. */
  kinds: string[] | null;
  /** Time limit per try, when the generation had its own. */
  timeout_ms: number | null;
  finished_at: string;
}

/** `report.yml`: written last, so that its presence says that the run is complete. */
export interface Report {
  experiment_id: string;
  generation: number;
  /** The attempt that wrote it and `final/`. */
  attempt?: string;
  /** succeeded + failed + missing = allocated, always. */
  allocated: number;
  succeeded: number;
  failed: number;
  missing: number;
  failed_by_kind: Record<string, number>;
  allocated_at: string;
  finished_at: string;
  /**
   * Seconds that the run was driven, over all generations, without pauses and without time in which no process drove
   * it.
   */
  seconds: number;
  /** Oldest first; absent in reports of older versions. */
  generations?: GenerationRecord[];
  /** Every file of `final/`, by table name. */
  final: Record<string, Omit<FinalFile, "name">>;
  /** `output_artifacts.pq`; absent where the experiment has no output files, and in reports of older versions. */
  output_artifacts?: Omit<FinalFile, "name">;
}

export function reportText(report: Report): string {
  return addChecksum(stringify(report));
}

/**
 * The report of a complete run; undefined for any other. A report written by a driver after another had taken over does
 * not count: the other is about to rewrite `final/`.
 * @throws ScytheError `storage` when it is damaged
 */
export async function readReport(storage: Storage, layout: RunLayout): Promise<Report | undefined> {
  const report = (await readYaml<Report>(storage, layout.report, { checksummed: true }))?.value;
  if (!report?.attempt) return report;
  const state = await readState(storage, layout);
  const late = state && report.generation >= state.generation && (state.final_attempt ?? null) !== report.attempt;
  return late ? undefined : report;
}

/** The report of an earlier generation; it holds the hash of the errors kept in the same folder. */
export async function readEarlierReport(
  storage: Storage,
  layout: RunLayout,
  generation: number,
): Promise<Report | undefined> {
  return (await readYaml<Report>(storage, layout.history(generation, "report.yml"), { checksummed: true }))?.value;
}

/** A retry raises the state's generation first and replaces the report last; in between, the run is not complete. */
export function isComplete(state: Pick<RunState, "generation"> | undefined, report: Report | undefined): boolean {
  return report !== undefined && (state?.generation ?? 0) <= report.generation;
}

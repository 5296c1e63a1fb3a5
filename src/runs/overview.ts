import { isScytheError } from "../errors.ts";
import type { RunLayout } from "../run/layout.ts";
import { type Manifest, type ManifestDetails, readManifest } from "../run/manifest.ts";
import { isComplete, type Report, readReport } from "../run/report.ts";
import { type RunState, readState, type ShownStatus, shownStatus } from "../run/state.ts";
import type { Storage } from "../storage/storage.ts";
import { ProgressReader } from "./progress.ts";

/** A run in a few numbers; null is what storage does not know (a run of Python Scythe counts nothing). */
export interface RunOverview {
  experiment_id: string;
  version: string;
  timestamp: string;
  status: ShownStatus;
  allocated: number | null;
  succeeded: number | null;
  failed: number | null;
  seconds: number | null;
}

/** What a run says of itself in storage. */
export interface RunRecord {
  overview: RunOverview;
  manifest: Manifest | undefined;
  state: RunState | undefined;
  report: Report | undefined;
  /** How far a retry that is not complete has come. */
  retried: { specs: number; succeeded: number; failed: number } | undefined;
}

/** Reads what a run says of itself; also of one whose allocation was never finished, which has no manifest. */
export async function readRunRecord(storage: Storage, layout: RunLayout): Promise<RunRecord> {
  const [manifest, state, report] = await Promise.all([
    readManifest(storage, layout).catch(undefinedIfAbsent),
    readState(storage, layout),
    readReport(storage, layout),
  ]);
  const allocated = manifest?.scythe?.spec_count ?? null;
  const counts = report ?? (manifest?.scythe ? await countSoFar(storage, layout, manifest.scythe) : undefined);
  const overview: RunOverview = {
    experiment_id: layout.experimentId,
    version: layout.id.version,
    timestamp: layout.id.timestamp,
    status: isComplete(state, report) ? "complete" : shownStatus(state),
    allocated,
    succeeded: counts?.succeeded ?? null,
    failed: counts?.failed ?? null,
    seconds: report?.seconds ?? null,
  };
  const unfinished = report && overview.status !== "complete" && manifest?.scythe;
  return { overview, manifest, state, report, retried: unfinished ? await retrySoFar(storage, layout) : undefined };
}

async function countSoFar(storage: Storage, layout: RunLayout, { spec_count, carried_count }: ManifestDetails) {
  const { succeeded, failed } = await new ProgressReader(storage, layout, spec_count, carried_count).read();
  return { succeeded, failed };
}

async function retrySoFar(storage: Storage, layout: RunLayout) {
  const { allocated, succeeded, failed } = await new ProgressReader(storage, layout, 0).read();
  return { specs: allocated, succeeded, failed };
}

function undefinedIfAbsent(error: unknown): undefined {
  if (isScytheError(error) && error.code === "not_found") return undefined;
  throw error;
}

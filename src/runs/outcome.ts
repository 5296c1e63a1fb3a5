import { countFailures, type FailureCounts } from "../results/failures.ts";
import type { Results } from "../results/results.ts";
import type { RunLayout } from "../run/layout.ts";
import type { Manifest } from "../run/manifest.ts";
import { isComplete, type Report, readReport } from "../run/report.ts";
import { readState } from "../run/state.ts";
import type { Storage } from "../storage/storage.ts";
import { reportedTables } from "./describe.ts";
import { type Progress, ProgressReader } from "./progress.ts";
import { retriedSpecs } from "./retry.ts";

/** How a run came out: what `scythe run --json` prints. */
export interface RunOutcome {
  experiment_id: string;
  uri: string;
  status: "complete" | "cancelled";
  /** Why it was stopped, if not by hand. */
  reason: string | null;
  seed: number | null;
  generation: number;
  /** What the generation ran again, so far; null in the first. */
  retried: { specs: number; succeeded: number; failed: number; failed_by_kind: Record<string, number> } | null;
  allocated: number;
  succeeded: number;
  failed: number;
  missing: number;
  failed_by_kind: Record<string, number>;
  /** In which it was driven, pauses left out; null for a run that has no report. */
  seconds: number | null;
  /** The finished tables; empty for a run without a report. */
  tables: { name: string; rows: number; bytes: number; uri: string }[];
  /** The first failures; after a retry, of what it ran again. */
  failures: { sort_index: number; kind: string; message: string }[];
}

const NO_FAILURES: FailureCounts = { byKind: {}, first: [] };

/** A run whose outcome is asked for. */
interface EndedRun {
  layout: RunLayout;
  manifest: Manifest;
  openResults(options: { partial: true }): Promise<Results>;
}

/** Reads the outcome back from storage, the only truth. */
export async function outcomeOf(storage: Storage, run: EndedRun): Promise<RunOutcome> {
  const { layout } = run;
  const [state, report] = await Promise.all([readState(storage, layout), readReport(storage, layout)]);
  const { spec_count: allocated = 0, carried_count = 0, seed = null } = run.manifest.scythe ?? {};
  const complete = isComplete(state, report);
  const now = complete ? undefined : await new ProgressReader(storage, layout, allocated, carried_count).read();
  const { succeeded, failed } = report ?? now ?? { succeeded: 0, failed: 0 };
  const again = state && (await retriedSpecs(storage, layout, state));
  const failures = failed > 0 ? await countFailures(await run.openResults({ partial: true }), again) : NO_FAILURES;
  return {
    experiment_id: layout.experimentId,
    uri: storage.uriOf(layout.experimentId),
    status: complete ? "complete" : "cancelled",
    reason: complete ? null : (state?.reason ?? null),
    seed,
    generation: state?.generation ?? 0,
    retried: now ? retriedSoFar(now) : retriedAtLast(report),
    allocated,
    succeeded,
    failed,
    missing: report?.missing ?? allocated - carried_count - succeeded - failed,
    failed_by_kind: report?.failed_by_kind ?? failures.byKind,
    seconds: report?.seconds ?? null,
    tables: reportedTables(storage, layout, report),
    failures: failures.first,
  };
}

function retriedSoFar({ generation, allocated, succeeded, failed }: Progress): RunOutcome["retried"] {
  return generation === 0 ? null : { specs: allocated, succeeded, failed, failed_by_kind: {} };
}

function retriedAtLast(report: Report | undefined): RunOutcome["retried"] {
  const last = report?.generations?.at(-1);
  if (!last || last.generation === 0) return null;
  const { specs, succeeded, failed, failed_by_kind } = last;
  return { specs, succeeded, failed, failed_by_kind };
}

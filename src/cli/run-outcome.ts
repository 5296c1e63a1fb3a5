import { isComplete, type Report, readReport } from "../run/report.ts";
import { readState } from "../run/state.ts";
import { type Progress, ProgressReader } from "../runs/progress.ts";
import { retriedSpecs } from "../runs/retry.ts";
import type { Run } from "../runs/run.ts";
import type { Storage } from "../storage/storage.ts";
import { countFailures, type Failures } from "./failures.ts";
import { inOrder } from "./table-order.ts";

/** How a run that this process drove came out: what `scythe run --json` prints. */
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

const NO_FAILURES: Failures = { byKind: {}, first: [] };

/** Reads the outcome back from storage, the only truth. */
export async function outcomeOf(storage: Storage, run: Run): Promise<RunOutcome> {
  const layout = run.layout;
  const [state, report] = await Promise.all([readState(storage, layout), readReport(storage, layout)]);
  const { spec_count: allocated = 0, carried_count = 0, seed = null } = run.manifest.scythe ?? {};
  const complete = isComplete(state, report);
  const now = complete ? undefined : await new ProgressReader(storage, layout, allocated, carried_count).read();
  const { succeeded, failed } = report ?? now ?? { succeeded: 0, failed: 0 };
  const again = state && (await retriedSpecs(storage, layout, state));
  const failures = failed > 0 ? await countFailures(await run.openResults({ partial: true }), again) : NO_FAILURES;
  return {
    experiment_id: run.experimentId,
    uri: run.uri,
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
    tables: inOrder(Object.entries(report?.final ?? {}), ([name]) => name).map(([name, { rows, bytes }]) => ({
      name,
      rows,
      bytes,
      uri: storage.uriOf(layout.finalTable(name)),
    })),
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

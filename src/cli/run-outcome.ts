import { parseExperimentId, RunLayout } from "../run/layout.ts";
import { readReport } from "../run/report.ts";
import { readState } from "../run/state.ts";
import type { Storage } from "../storage/storage.ts";
import { ProgressReader } from "../study/progress.ts";
import type { Run } from "../study/run.ts";
import { errorEntry } from "./error-entry.ts";
import type { Row } from "./row-writer.ts";
import { inOrder } from "./table-order.ts";

/** How a run that this process drove came out: what `scythe run --json` prints. */
export interface RunOutcome {
  experiment_id: string;
  uri: string;
  status: "complete" | "cancelled";
  /** Why it was stopped, if not by hand. */
  reason: string | null;
  seed: number | null;
  allocated: number;
  succeeded: number;
  failed: number;
  missing: number;
  failed_by_kind: Record<string, number>;
  /** From allocation to the report; null for a run that has none. */
  seconds: number | null;
  /** The finished tables; empty for a run without a report. */
  tables: { name: string; rows: number; bytes: number; uri: string }[];
  /** The first failures. */
  failures: { sort_index: number; kind: string; message: string }[];
}

const SHOWN_FAILURES = 3;

/** Reads the outcome back from storage, the only truth. */
export async function outcomeOf(storage: Storage, run: Run): Promise<RunOutcome> {
  const layout = new RunLayout(parseExperimentId(run.experimentId)!);
  const report = await readReport(storage, layout);
  const allocated = run.manifest.scythe?.spec_count ?? 0;
  const counts = report ?? (await new ProgressReader(storage, layout, allocated).read());
  const { succeeded, failed } = counts;
  return {
    experiment_id: run.experimentId,
    uri: run.uri,
    status: report ? "complete" : "cancelled",
    reason: report ? null : ((await readState(storage, layout))?.reason ?? null),
    seed: run.manifest.scythe?.seed ?? null,
    allocated,
    succeeded,
    failed,
    missing: report?.missing ?? allocated - succeeded - failed,
    failed_by_kind: report?.failed_by_kind ?? {},
    seconds: report?.seconds ?? null,
    tables: inOrder(Object.entries(report?.final ?? {}), ([name]) => name).map(([name, { rows, bytes }]) => ({
      name,
      rows,
      bytes,
      uri: storage.uriOf(layout.finalTable(name)),
    })),
    failures: report && failed > 0 ? await firstFailures(run) : [],
  };
}

async function firstFailures(run: Run): Promise<RunOutcome["failures"]> {
  const failures: RunOutcome["failures"] = [];
  const results = await run.result();
  for await (const row of results.errors() as AsyncGenerator<Row>) {
    const { sort_index, kind, message } = errorEntry(row);
    failures.push({ sort_index: Number(sort_index), kind: String(kind), message: String(message) });
    if (failures.length === SHOWN_FAILURES) break;
  }
  return failures;
}

import { isScytheError } from "../errors.ts";
import { countFailures } from "../results/failures.ts";
import { openResults, type ResultTable } from "../results/results.ts";
import { inOrder } from "../results/table-order.ts";
import type { RunLayout } from "../run/layout.ts";
import type { Manifest } from "../run/manifest.ts";
import { ownerText } from "../run/owner.ts";
import type { Report } from "../run/report.ts";
import type { Storage } from "../storage/storage.ts";
import { type RunRecord, readRunRecord } from "./overview.ts";

/** All there is to say of a run without reading its rows. */
export interface RunDescription extends RunRecord {
  manifest: Manifest;
  /** Its finished tables, `scalars` first. */
  tables: ResultTable[];
  failed_by_kind: Readonly<Record<string, number>>;
  /** The process that drives it, while it is driven: which, where, since when. */
  driver: string | null;
}

/** @throws ScytheError `not_found`, `storage` when the run is damaged */
export async function describeRun(storage: Storage, layout: RunLayout, manifest: Manifest): Promise<RunDescription> {
  const record = await readRunRecord(storage, layout);
  const { overview, state } = record;
  const isDriven = overview.status === "running" || overview.status === "paused";
  return {
    ...record,
    manifest,
    tables: await finalTables(storage, layout, record),
    failed_by_kind: await failedByKind(storage, layout, record),
    driver: isDriven && state?.owner ? ownerText(state.owner) : null,
  };
}

/** From the report; of a run that is not complete, from its parts. */
async function failedByKind(storage: Storage, layout: RunLayout, { report, overview }: RunRecord) {
  if (report || !overview.failed) return report?.failed_by_kind ?? {};
  return (await countFailures(await openResults(storage, layout, undefined, { partial: true }))).byKind;
}

/** From the report; a run of Python Scythe has none, and its files are listed. */
async function finalTables(storage: Storage, layout: RunLayout, { report }: RunRecord): Promise<ResultTable[]> {
  if (report) return reportedTables(storage, layout, report);
  const results = await openResults(storage, layout).catch((error: unknown) => {
    if (isScytheError(error) && error.code === "not_found") return undefined;
    throw error;
  });
  return (await results?.describeTables()) ?? [];
}

/** The tables of a report, which stand until a retry is complete. */
export function reportedTables(storage: Storage, layout: RunLayout, report: Report | undefined) {
  return inOrder(Object.entries(report?.final ?? {}), ([name]) => name).map(([name, { rows, bytes }]) => ({
    name,
    rows,
    bytes,
    uri: storage.uriOf(layout.finalTable(name)),
  }));
}

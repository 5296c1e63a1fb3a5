import { stringify } from "yaml";
import type { Storage } from "../storage/storage.ts";
import type { RunLayout } from "./layout.ts";
import { seal } from "./seal.ts";
import { readYaml } from "./yaml.ts";

export interface FinalFile {
  name: string;
  rows: number;
  bytes: number;
  sha256: string;
}

/** `report.yml`: written last, so that its presence says that the run is complete. */
export interface Report {
  experiment_id: string;
  generation: number;
  /** succeeded + failed + missing = allocated, always. */
  allocated: number;
  succeeded: number;
  failed: number;
  missing: number;
  failed_by_kind: Record<string, number>;
  allocated_at: string;
  finished_at: string;
  /** From allocation to this report. */
  seconds: number;
  /** Every file of `final/`, by table. */
  final: Record<string, Omit<FinalFile, "name">>;
}

export function reportText(report: Report): string {
  return seal(stringify(report));
}

/**
 * The report of a complete run; undefined for any other.
 * @throws ScytheError `storage` when it is damaged
 */
export async function readReport(storage: Storage, layout: RunLayout): Promise<Report | undefined> {
  return (await readYaml<Report>(storage, layout.report, { sealed: true }))?.value;
}

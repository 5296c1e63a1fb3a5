import type { Results } from "../results/results.ts";
import { type ErrorEntry, errorEntry } from "./error-entry.ts";
import type { Row } from "./row-writer.ts";

export interface Failures {
  byKind: Record<string, number>;
  /** The first few. */
  first: { sort_index: number; kind: string; message: string }[];
}

const SHOWN = 3;

/** The failed specs of a run, as far as it has come. @param kind one kind alone */
export async function* failedSpecs(results: Results, kind?: string): AsyncGenerator<ErrorEntry> {
  if (!(await results.listTables()).includes("errors")) return; // Python Scythe keeps no account of failures
  for await (const row of results.errors() as AsyncGenerator<Row>) {
    const entry = errorEntry(row);
    if (kind === undefined || entry.kind === kind) yield entry;
  }
}

export async function countFailures(results: Results): Promise<Failures> {
  const byKind: Record<string, number> = {};
  const first: Failures["first"] = [];
  for await (const { sort_index, kind, message } of failedSpecs(results)) {
    const own = String(kind);
    byKind[own] = (byKind[own] ?? 0) + 1;
    if (first.length < SHOWN) first.push({ sort_index: Number(sort_index), kind: own, message: String(message) });
  }
  const sorted = Object.entries(byKind).sort(([, a], [, b]) => b - a);
  return { byKind: Object.fromEntries(sorted), first };
}

import type { Results } from "../results/results.ts";
import { ERRORS, errorNamesAmong } from "../scatter/final-layout.ts";
import { type ErrorEntry, errorEntry } from "./error-entry.ts";

export interface Failures {
  byKind: Record<string, number>;
  /** The first few. */
  first: { sort_index: number; kind: string; message: string }[];
}

const SHOWN = 3;

/** The failed specs of a run, as far as it has come. @param kind one kind alone */
export async function* failedSpecs(results: Results, kind?: string): AsyncGenerator<ErrorEntry> {
  if (!(await results.listTables()).includes(ERRORS)) return; // Python Scythe keeps no account of failures
  const table = await results.open(ERRORS);
  try {
    const names = errorNamesAmong(table.columns);
    for await (const row of table.rows()) {
      const entry = errorEntry(row, names);
      if (kind === undefined || entry.kind === kind) yield entry;
    }
  } finally {
    await table.close();
  }
}

/** @param among these specs alone */
export async function countFailures(results: Results, among?: ReadonlySet<number>): Promise<Failures> {
  const byKind: Record<string, number> = {};
  const first: Failures["first"] = [];
  for await (const { sort_index, kind, message } of failedSpecs(results)) {
    if (among && !among.has(Number(sort_index))) continue;
    const own = String(kind);
    byKind[own] = (byKind[own] ?? 0) + 1;
    if (first.length < SHOWN) first.push({ sort_index: Number(sort_index), kind: own, message: String(message) });
  }
  const sorted = Object.entries(byKind).sort(([, a], [, b]) => b - a);
  return { byKind: Object.fromEntries(sorted), first };
}

import { assertKind } from "../experiment/retry.ts";
import { ERROR_FIELD_NAMES, ERRORS, type ErrorField, errorNamesAmong } from "../scatter/final-columns.ts";
import { ID_COLUMNS } from "../schema/base.ts";
import { type FailureGroup, FailureGroups } from "./failure-groups.ts";
import type { TableReader } from "./table-reader.ts";

/** A failed spec: what happened to it, and its input apart from that. */
export type FailedSpec = Record<ErrorField, unknown> & { sort_index: unknown; input: Record<string, unknown> };

/** Which failed specs to read. */
export interface FailureOptions {
  /** One kind alone: `error`, `timeout`, …; an unknown one is refused when no spec failed so. */
  kind?: string;
}

/** How often specs failed, by kind and by message. */
export interface FailureSummary {
  failed: number;
  by_kind: Record<string, number>;
  /** Most frequent first; messages that differ in their numbers alone are of one group. */
  groups: FailureGroup[];
}

export interface FailureCounts {
  byKind: Record<string, number>;
  /** The first few. */
  first: { sort_index: number; kind: string; message: string }[];
}

/** The tables of a run, finished or not. */
interface RunTables {
  listTables(): Promise<string[]>;
  open(table: string): Promise<TableReader>;
}

const SHOWN = 3;

/** The failed specs of a run, as far as it has come. @throws ScytheError `invalid_input` for a kind that there is not */
export async function* failedSpecs(tables: RunTables, { kind }: FailureOptions = {}): AsyncGenerator<FailedSpec> {
  if (!(await tables.listTables()).includes(ERRORS)) return; // Python Scythe keeps no account of failures
  const table = await tables.open(ERRORS);
  let found = false;
  try {
    const names = errorNamesAmong(table.columns);
    for await (const row of table.rows()) {
      const spec = failedSpec(row, names);
      if (kind !== undefined && spec.kind !== kind) continue;
      found = true;
      yield spec;
    }
  } finally {
    await table.close();
  }
  if (kind !== undefined && !found) assertKind(kind);
}

export async function groupFailures(tables: RunTables): Promise<FailureSummary> {
  const groups = new FailureGroups();
  for await (const spec of failedSpecs(tables)) groups.add(String(spec.kind), String(spec.message));
  return { failed: groups.total, by_kind: groups.byKind, groups: groups.list() };
}

/** @param among these specs alone */
export async function countFailures(tables: RunTables, among?: ReadonlySet<number>): Promise<FailureCounts> {
  const byKind: Record<string, number> = {};
  const first: FailureCounts["first"] = [];
  for await (const { sort_index, kind, message } of failedSpecs(tables)) {
    if (among && !among.has(Number(sort_index))) continue;
    const own = String(kind);
    byKind[own] = (byKind[own] ?? 0) + 1;
    if (first.length < SHOWN) first.push({ sort_index: Number(sort_index), kind: own, message: String(message) });
  }
  const sorted = Object.entries(byKind).sort(([, a], [, b]) => b - a);
  return { byKind: Object.fromEntries(sorted), first };
}

/**
 * A row of `errors.pq`.
 * @param names of the columns that tell of the failure: where an input is named `kind`, the failure's is `error_kind`
 */
export function failedSpec(row: Record<string, unknown>, names: Record<ErrorField, string>): FailedSpec {
  const others = new Set<string>([...ID_COLUMNS, ...Object.values(names)]);
  const input = Object.entries(row).filter(([name]) => !others.has(name));
  const own = ERROR_FIELD_NAMES.map((field) => [field, row[names[field]]]);
  return {
    sort_index: row.sort_index,
    ...(Object.fromEntries(own) as Record<ErrorField, unknown>),
    input: Object.fromEntries(input),
  };
}

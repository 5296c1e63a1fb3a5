import { ID_COLUMNS } from "../spec/base.ts";
import type { Row } from "./row-writer.ts";

const OWN = ["kind", "name", "message", "stack", "attempts", "worker", "duration"] as const;

/** A failed spec: its input apart from what happened to it. */
export type ErrorEntry = Record<(typeof OWN)[number], unknown> & { sort_index: unknown; input: Row };

/**
 * A row of `errors.pq`. Its last columns tell of the failure, whatever they are called: where an input field is named
 * `kind`, the failure's is `error_kind`.
 */
export function errorEntry(row: Row): ErrorEntry {
  const names = Object.keys(row);
  const own = names.slice(-OWN.length);
  const ids = new Set<string>(ID_COLUMNS);
  const input = names.slice(0, -OWN.length).filter((name) => !ids.has(name));
  return {
    sort_index: row.sort_index,
    ...(Object.fromEntries(OWN.map((name, i) => [name, row[own[i]!]])) as Record<(typeof OWN)[number], unknown>),
    input: Object.fromEntries(input.map((name) => [name, row[name]])),
  };
}

import { ERROR_FIELD_NAMES, type ErrorField } from "../scatter/final-layout.ts";
import { ID_COLUMNS } from "../schema/base.ts";
import type { Row } from "./row-writer.ts";

/** A failed spec: its input apart from what happened to it. */
export type ErrorEntry = Record<ErrorField, unknown> & { sort_index: unknown; input: Row };

/**
 * A row of `errors.pq`.
 * @param names of the columns that tell of the failure: where an input is named `kind`, the failure's is `error_kind`
 */
export function errorEntry(row: Row, names: Record<ErrorField, string>): ErrorEntry {
  const others = new Set<string>([...ID_COLUMNS, ...Object.values(names)]);
  const input = Object.entries(row).filter(([name]) => !others.has(name));
  const own = ERROR_FIELD_NAMES.map((field) => [field, row[names[field]]]);
  return {
    sort_index: row.sort_index,
    ...(Object.fromEntries(own) as Record<ErrorField, unknown>),
    input: Object.fromEntries(input),
  };
}

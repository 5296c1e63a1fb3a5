import { literal } from "../table/sql.ts";

/**
 * The id of a spec's own run: the run's id with its last twelve hex digits replaced by `sort_index`. It is derived, so
 * a spec that runs twice keeps its id.
 */
export function specRunId(rootRunId: string, sortIndex: number): string {
  return `${rootRunId.slice(0, 24)}${sortIndex.toString(16).padStart(12, "0")}`;
}

/** {@link specRunId} as SQL over a `sort_index` column. */
export function specRunIdSql(rootRunId: string): string {
  return `${literal(rootRunId.slice(0, 24))} || printf('%012x', CAST(sort_index AS BIGINT))`; // escaped: the manifest is untrusted input
}

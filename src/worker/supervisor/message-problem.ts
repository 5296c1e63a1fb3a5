import type { Batch } from "../../table/batch.ts";
import type { FromChild } from "../protocol.ts";

/**
 * What is wrong with a message from a child process; undefined for a valid one. Project code runs there, and nothing it
 * sends may crash the supervisor.
 * @param range positions that are not settled yet
 */
export function messageProblem(message: FromChild, range: { from: number; to: number }): string | undefined {
  if (typeof message !== "object" || message === null) return "no message";
  switch (message.type) {
    case "rows":
      return rowsProblem(message, range);
    case "logs":
      return isLog(message.lines) ? undefined : "a log without lines";
    case "end":
      return isPosition(message.end?.next, range) && isPosition(message.end.nextAttempt, { from: 1, to: 1e6 })
        ? undefined
        : "an end outside of the chunk";
    case "failed":
      return typeof message.message === "string" ? undefined : "a failure without a message";
    case "fetch":
      return typeof message.uri === "string" && typeof message.id === "number" ? undefined : "a file without a name";
    default:
      return `a message of type ${String((message as { type: unknown }).type).slice(0, 40)}`;
  }
}

function rowsProblem({ rows, removeDirs }: Extract<FromChild, { type: "rows" }>, range: { from: number; to: number }) {
  if (typeof rows !== "object" || rows === null || !isPosition(rows.upTo, range)) return "rows of other specs";
  const { ok, errors, tables, files, logs } = rows;
  if (typeof tables !== "object" || tables === null) return "rows without tables";
  if (![files, removeDirs].every(Array.isArray) || !isLog(logs)) return "rows without their lists";
  if (![ok, errors, ...Object.values(tables)].every(isBatch)) return "columns of different lengths";
  return ok.rows + errors.rows === rows.upTo - range.from ? undefined : "a wrong number of rows";
}

function isLog(lines: unknown): boolean {
  return Array.isArray(lines) && lines.every((line) => Number.isSafeInteger(line?.sortIndex) && isText(line.message));
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isPosition(value: unknown, { from, to }: { from: number; to: number }): boolean {
  return Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to;
}

function isBatch(batch: Batch | undefined): boolean {
  if (typeof batch !== "object" || batch === null || !Array.isArray(batch.columns)) return false;
  return batch.columns.every(({ values, nulls }) => {
    return values?.length === batch.rows && (nulls === undefined || nulls.length === batch.rows);
  });
}

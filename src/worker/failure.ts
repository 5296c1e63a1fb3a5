import { inspect } from "node:util";
import type { ErrorKind } from "../scatter/part-columns.ts";

/** Why a try failed, as `errors.pq` tells it. */
export interface Failure {
  kind: ErrorKind;
  name: string;
  message: string;
  stack: string | null;
}

const MAX_MESSAGE = 10_000;
const MAX_STACK = 20_000;

/** A failure from whatever was thrown: an Error with its causes, or anything else. */
export function failureOf(thrown: unknown, kind: ErrorKind = "error"): Failure {
  if (thrown instanceof Error) {
    return {
      kind,
      name: text(thrown.name || "Error", 200),
      message: text(thrown.message || thrown.name || "(an error without a message)", MAX_MESSAGE),
      stack: text(stackOf(thrown), MAX_STACK),
    };
  }
  const shown = typeof thrown === "string" ? thrown : inspect(thrown, { depth: 3, breakLength: 120 });
  return {
    kind,
    name: thrown === null ? "null" : typeof thrown,
    message: text(
      `The function threw ${thrown === "" ? "an empty string" : shown}, which is not an Error`,
      MAX_MESSAGE,
    ),
    stack: null,
  };
}

export function failure(kind: ErrorKind, name: string, message: string): Failure {
  return { kind, name, message: text(message, MAX_MESSAGE), stack: null };
}

/** An error's stack and those of its causes. */
export function stackOf(error: Error): string {
  let shown = error.stack ?? String(error);
  for (let cause = error.cause, depth = 0; cause !== undefined && depth < 5; depth++) {
    shown += `\nCaused by: ${cause instanceof Error ? (cause.stack ?? String(cause)) : inspect(cause, { depth: 2 })}`;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return shown;
}

/** Parquet holds UTF-8 only, and a row of errors need not hold a novel. */
function text(value: string, most: number): string {
  const cut = value.length > most ? `${value.slice(0, most)}… (${value.length} characters)` : value;
  return cut.toWellFormed();
}

import { inspect } from "node:util";
import { bytesText } from "../../bytes-text.ts";
import type { ErrorKind } from "../../experiment/retry.ts";
import { redact } from "../../redact.ts";

/** Why a try failed, as `errors.pq` records it. */
export interface Failure {
  kind: ErrorKind;
  name: string;
  message: string;
  stack: string | null;
}

const MAX_MESSAGE = 10_000;
const MAX_STACK = 20_000;

/** A failure from any thrown value: an Error with its causes, or anything else, even a proxy that throws. */
export function failureOf(thrown: unknown, kind: ErrorKind = "error"): Failure {
  try {
    return thrown instanceof Error ? failureOfError(thrown, kind) : failureOfOther(thrown, kind);
  } catch {
    return failure(kind, "Unreadable", "The function threw a value that throws when it is read");
  }
}

function failureOfError(thrown: Error, kind: ErrorKind): Failure {
  const { name, message } = thrown;
  return {
    kind: kind === "error" && isOutOfMemory(thrown) ? "out_of_memory" : kind,
    name: text(String(name || "Error"), 200),
    message: text(String(message || name || "(an error without a message)"), MAX_MESSAGE),
    stack: text(stackOf(thrown), MAX_STACK),
  };
}

function failureOfOther(thrown: unknown, kind: ErrorKind): Failure {
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

/**
 * Whether a buffer, WebAssembly memory or worker thread could not be allocated. The exhaustion of the process's own
 * heap cannot be caught.
 */
function isOutOfMemory(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ERR_MEMORY_ALLOCATION" || code === "ERR_WORKER_OUT_OF_MEMORY") return true;
  return error instanceof RangeError && /allocation failed|could not allocate memory/i.test(error.message);
}

export function failure(kind: ErrorKind, name: string, message: string): Failure {
  return { kind, name, message: text(message, MAX_MESSAGE), stack: null };
}

export function tooLarge(experiment: string, maxSize: number): Failure {
  const problem = `${experiment} returned more than ${bytesText(maxSize)} of outputs and table rows`;
  return failure(
    "output_too_large",
    "OutputTooLarge",
    `${problem}. Write large data to a file, or raise maxOutputSize.`,
  );
}

/** For a row too large for a merge, which would prevent all final tables. */
export function rowTooLarge(experiment: string, maxSize: number): Failure {
  const problem = `${experiment} returned a row of more than ${bytesText(maxSize)} (4 B more for each value in a list or object), which is what merging has memory for`;
  return failure(
    "output_too_large",
    "OutputTooLarge",
    `${problem}. Write large data to a file (fileRef()) or to a table of many rows, or raise SCYTHE_WORKER_MERGE_MEMORY_MB on every worker.`,
  );
}

/** An error's stack and those of its causes. */
export function stackOf(error: Error): string {
  let shown = String(error.stack ?? error);
  for (let cause = error.cause, depth = 0; cause !== undefined && depth < 5; depth++) {
    shown += `\nCaused by: ${cause instanceof Error ? (cause.stack ?? String(cause)) : inspect(cause, { depth: 2 })}`;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return shown;
}

/** Redacted, shortened and valid UTF-8, as Parquet requires. */
function text(value: string, most: number): string {
  const shown = redact(value.slice(0, 2 * most)); // before it is cut: half a secret would not be recognised
  const cut = shown.length > most ? `${shown.slice(0, most)}… (${value.length} characters)` : shown;
  return cut.toWellFormed();
}

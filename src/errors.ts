import { redact } from "./redact.ts";

/** What kind of trouble it is. The command line turns it into an exit code; callers may branch on it. */
export type ErrorCode =
  | "invalid_definition"
  | "invalid_specs"
  | "invalid_input"
  | "not_found"
  | "conflict"
  | "storage"
  | "engine"
  | "timeout"
  | "cancelled"
  | "internal";

export interface ErrorOptions {
  /** What the reader should do next, as a sentence. */
  hint?: string;
  cause?: unknown;
  /** Machine-readable facts: the field, the path, the run. Never secrets. */
  details?: Record<string, unknown>;
}

/** Every error this package raises on purpose: a code, what happened, what to do next, and its cause. */
export class ScytheError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(redact(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ScytheError";
    this.code = code;
    this.hint = options.hint === undefined ? undefined : redact(options.hint);
    this.details = options.details ?? {};
  }
}

/** True for a {@link ScytheError}, also one made by another copy of this package (a user's project may hold its own). */
export function isScytheError(error: unknown): error is ScytheError {
  return error instanceof Error && error.name === "ScytheError" && "code" in error;
}

const DISK_FULL = /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/i;

/** An error that a full disk is behind, wherever it came up, as one that says what to do; undefined for any other. */
export function diskFull(error: unknown, what: string): ScytheError | undefined {
  if (isScytheError(error) || !DISK_FULL.test(messageOf(error))) return undefined;
  return new ScytheError("storage", `${what}: ${messageOf(error)}`, {
    hint: "The disk is full: free some space (TMPDIR names the folder for what is temporary), then go on.",
    cause: error,
  });
}

/** The message of anything that was thrown, an Error or not. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  if (typeof thrown === "string") return thrown;
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}

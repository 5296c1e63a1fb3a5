import { redact } from "./redact.ts";

/** The kind of error. The command line maps it to an exit code; callers may branch on it. */
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

/** What an error says besides its message. */
export interface ErrorOptions {
  /** What the user should do next, as a sentence. */
  hint?: string;
  cause?: unknown;
  /** Machine-readable facts: the field, the path, the run. Never secrets. */
  details?: Record<string, unknown>;
}

/** Every deliberate error of this package: a code, what happened, what to do next, and its cause. */
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

/** True for a {@link ScytheError}, even one from another copy of this package (a user's project may have its own). */
export function isScytheError(error: unknown): error is ScytheError {
  return error instanceof Error && error.name === "ScytheError" && "code" in error;
}

const DISK_FULL = /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/i;

/** Converts any error caused by a full disk to one with a hint; undefined for other errors. */
export function diskFull(error: unknown, what: string): ScytheError | undefined {
  if (isScytheError(error) || !DISK_FULL.test(messageOf(error))) return undefined;
  return new ScytheError("storage", `${what}: ${messageOf(error)}`, {
    hint: "The disk is full: free some space (TMPDIR sets the folder for temporary files), then try again.",
    cause: error,
  });
}

/** The message of any thrown value. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  if (typeof thrown === "string") return thrown;
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}

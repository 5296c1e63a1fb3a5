import { isScytheError } from "../errors.ts";
import type { ErrorCode } from "../index.ts";

/** What a shell script may branch on; `docs/guide/cli.md` lists them. */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  failedSpecs: 3,
  /** `verify` found something wrong, `diff` a difference, or `sensitivity --until` ended by its budget. */
  findings: 3,
  unreachable: 4,
  cancelled: 5,
  interrupted: 130,
} as const;

const CODES: Record<ErrorCode, number> = {
  invalid_definition: EXIT.usage,
  invalid_specs: EXIT.usage,
  invalid_input: EXIT.usage,
  not_found: EXIT.usage,
  conflict: EXIT.usage,
  storage: EXIT.unreachable,
  engine: EXIT.unreachable,
  timeout: EXIT.cancelled,
  cancelled: EXIT.cancelled,
  internal: EXIT.internal,
};

/** The exit code for anything that was thrown. */
export function exitCodeOf(thrown: unknown): number {
  if (!isScytheError(thrown)) return EXIT.internal;
  if (thrown.code === "conflict" && "current" in thrown.details) return EXIT.cancelled; // the run was taken over
  return CODES[thrown.code] ?? EXIT.internal;
}

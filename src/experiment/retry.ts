import { ScytheError } from "../errors.ts";
import { didYouMean } from "../known-keys.ts";

/** Kinds of failure; each may have its own number of retries. */
export const FAILURE_KINDS = [
  "error",
  "timeout",
  "crash",
  "out_of_memory",
  "invalid_output",
  "output_too_large",
  "missing_file",
] as const;

/** Why a spec failed. `docs/guide/errors.md` explains each. */
export type ErrorKind = (typeof FAILURE_KINDS)[number];

/** Number of retries by the kind of the last failure. */
export type RetryPolicy = Readonly<Record<ErrorKind, number>>;

/**
 * A spec that has crashed its process this often is not tried again, whatever its retries: another machine would crash
 * too.
 */
const MAX_CRASHES = 3;

/**
 * Combines an experiment's `retries` and `retry`.
 * @throws ScytheError `invalid_definition`
 */
export function retryPolicy(name: string, retries = 1, retry: Partial<Record<ErrorKind, number>> = {}): RetryPolicy {
  assertCount(retries, name, "retries");
  for (const [kind, count] of Object.entries(retry)) {
    if (!FAILURE_KINDS.includes(kind as ErrorKind)) {
      throw new ScytheError("invalid_definition", `Experiment ${name}: retry.${kind} is not a kind of failure.`, {
        hint: `There are ${FAILURE_KINDS.join(", ")}.`,
      });
    }
    if (count !== undefined) assertCount(count, name, `retry.${kind}`);
  }
  const kinds = FAILURE_KINDS.map((kind) => [kind, kind === "crash" ? Math.min(retries, MAX_CRASHES - 1) : retries]);
  const given = Object.entries(retry).filter(([, count]) => count !== undefined);
  return Object.freeze(Object.fromEntries([...kinds, ...given])) as RetryPolicy;
}

/** @throws ScytheError `invalid_input` with the nearest kind */
export function assertKind(kind: string): void {
  if (FAILURE_KINDS.some((known) => known === kind)) return;
  const near = didYouMean(kind, FAILURE_KINDS);
  throw new ScytheError("invalid_input", `No failure is of kind ${JSON.stringify(kind)}${near}`, {
    hint: `Kinds: ${FAILURE_KINDS.join(", ")}.`,
  });
}

function assertCount(value: number, name: string, field: string): void {
  if (Number.isInteger(value) && value >= 0 && value <= 100) return;
  throw new ScytheError(
    "invalid_definition",
    `Experiment ${name}: ${field} must be a whole number from 0 to 100, not ${value}.`,
    {
      hint: "It is how often a failed spec is tried again.",
    },
  );
}

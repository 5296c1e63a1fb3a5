import { ScytheError } from "../errors.ts";

/** Failed specs that a run may have: so many, or a share of all that were allocated, such as `1%`. */
export type FailureLimit = number | `${number}%`;

/** The limit as `state.yml` has it. @throws ScytheError `invalid_input` */
export function failureLimitText(limit: FailureLimit | string): string {
  const text = String(limit).trim();
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (percent ? Number(percent[1]) <= 100 : /^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return text;
  throw new ScytheError("invalid_input", `maxFailures must be a number of specs or a share of them, not ${text}`, {
    hint: "Give a whole number from 0 up, such as 10, or a share from 0% to 100%, such as 1%.",
  });
}

/** How many of `allocated` specs may fail. */
export function allowedFailures(limit: string, allocated: number): number {
  return limit.endsWith("%") ? Math.floor((allocated * Number(limit.slice(0, -1))) / 100) : Number(limit);
}

/** Why a run was stopped that has had too many. */
export function tooManyFailures(limit: string, failed: number, allocated: number): string {
  const allowed = allowedFailures(limit, allocated);
  const share = limit.endsWith("%") ? `${limit} of ${allocated} specs, ${allowed}` : `${limit}`;
  return `${failed} specs failed, more than --max-failures allows (${share})`;
}

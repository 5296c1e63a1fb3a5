import { ScytheError } from "../errors.ts";

/** How many specs of a run may fail: a number, or a share of all allocated specs such as `1%`. */
export type FailureLimit = number | `${number}%`;

/** The limit as text, as `state.yml` stores it. */
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

/** The reason given when a run stops after too many failures. */
export function tooManyFailures(limit: string, failed: number, allocated: number): string {
  const allowed = allowedFailures(limit, allocated);
  const share = limit.endsWith("%") ? `${limit} of ${allocated} specs, ${allowed}` : `${limit}`;
  return `${failed} specs failed, more than --max-failures allows (${share})`;
}

import { distance } from "fastest-levenshtein";
import { type ErrorCode, ScytheError } from "./errors.ts";

/** Every key of an options type: a record, so that the compiler reports a missing one. */
export type Keys<T> = Record<keyof T & string, true>;

/**
 * Refuses unknown keys, which are typos and would be ignored silently.
 * @param what the start of the message: what the option belongs to
 * @throws ScytheError naming the key and the most similar known one
 */
export function assertKnownKeys(
  given: object | undefined,
  known: Record<string, true>,
  what: string,
  code: ErrorCode = "invalid_input",
): void {
  const unknown = Object.keys(given ?? {}).find((key) => !Object.hasOwn(known, key));
  if (unknown === undefined) return;
  const names = Object.keys(known);
  throw new ScytheError(code, `${what} has no option ${JSON.stringify(unknown)}${didYouMean(unknown, names)}`, {
    hint: `There are: ${names.join(", ")}.`,
    details: { option: unknown, known: names },
  });
}

/** `. Did you mean "…"?` with the most similar known name, or nothing when none is similar. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = known
    .map((other) => ({ other, edits: distance(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ other, edits }) => edits <= Math.max(2, other.length / 3))
    .sort((a, b) => a.edits - b.edits)[0];
  return near ? `. Did you mean ${JSON.stringify(near.other)}?` : "";
}

import { distance } from "fastest-levenshtein";
import { type ErrorCode, ScytheError } from "./errors.ts";

/** Every key of an options type: a record, so that the compiler says when one is missing here. */
export type Keys<T> = Record<keyof T & string, true>;

/**
 * A key that nobody reads is a typo, and would be silently left out.
 * @param what of which it is an option, as the message begins
 * @throws ScytheError naming the key and the nearest one there is
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

/** `. Did you mean "…"?` for the nearest of the known names, or nothing when none is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = known
    .map((other) => ({ other, edits: distance(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ other, edits }) => edits <= Math.max(2, other.length / 3))
    .sort((a, b) => a.edits - b.edits)[0];
  return near ? `. Did you mean ${JSON.stringify(near.other)}?` : "";
}

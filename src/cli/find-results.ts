import type { Results, Scythe } from "../index.ts";
import { note } from "./output.ts";
import { countText, plural } from "./view/units.ts";

/** A run's tables: the final ones, or the rows so far. */
export async function findResults(project: Scythe, reference: string): Promise<Results> {
  return (await project.findRun(reference)).openResults({ partial: true });
}

/** Prints a note to stderr that a run is not complete. */
export function notePartial({ partial }: Results): void {
  if (partial) note(`partial: ${countText(partial.done)} of ${plural(partial.allocated, "spec")}`);
}

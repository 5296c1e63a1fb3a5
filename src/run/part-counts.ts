import { listAll, type Storage } from "../storage/storage.ts";
import { type PartName, parsePart, type RunLayout } from "./layout.ts";

export interface CountedPart extends PartName {
  /** Key of the folder of the node's parts. */
  folder: string;
  key: string;
}

/**
 * The parts of one generation of a run, by one listing. A chunk that ran twice counts once: overlapping ranges, or
 * equal ranges with different counts, stand for the same specs.
 */
export async function countedParts(storage: Storage, layout: RunLayout, generation: number): Promise<CountedPart[]> {
  const parts: CountedPart[] = [];
  let last: CountedPart | undefined;
  for (const { key } of await listAll(storage, layout.allParts)) {
    const part = parsePart(key);
    if (!part || part.generation !== generation) continue;
    const folder = key.slice(0, key.lastIndexOf("/") + 1);
    if (last?.folder === folder && part.from < last.to) continue; // keys are in order of `from` within a folder
    last = { ...part, folder, key };
    parts.push(last);
  }
  return parts;
}

import { listAll, type Storage } from "../storage/storage.ts";
import { type PartName, parsePart, type RunLayout } from "./layout.ts";

export interface CountedPart extends PartName {
  /** Key of the folder of the node's parts. */
  folder: string;
  key: string;
}

/**
 * The parts of a run, of one generation, by one listing. Where a chunk ran twice, once: ranges that overlap, and such that
 * differ in their counts, stand for the same specs.
 */
export async function countedParts(storage: Storage, layout: RunLayout, generation: number): Promise<CountedPart[]> {
  const parts: CountedPart[] = [];
  let last: CountedPart | undefined;
  for (const { key } of await listAll(storage, layout.allParts)) {
    const part = parsePart(key);
    if (!part || part.generation !== generation) continue;
    const folder = key.slice(0, key.lastIndexOf("/") + 1);
    if (last?.folder === folder && part.from < last.to) continue; // in order of `from` within a folder
    last = { ...part, folder, key };
    parts.push(last);
  }
  return parts;
}

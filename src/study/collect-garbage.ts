import type { RunLayout } from "../run/layout.ts";
import { readReport } from "../run/report.ts";
import { listAll, type Storage } from "../storage/storage.ts";

export interface Garbage {
  experimentId: string;
  files: number;
  bytes: number;
}

/**
 * What the tree of a run needed and its results do not: `scatter-gather/` of a complete run. Nothing of a run that is
 * not complete is garbage, as it is all that a resumed run has.
 * @param remove takes it away; otherwise it is only counted
 */
export async function collectGarbage(
  storage: Storage,
  layout: RunLayout,
  remove: boolean,
): Promise<Garbage | undefined> {
  if (!(await readReport(storage, layout))) return undefined;
  const objects = await listAll(storage, layout.tree);
  if (objects.length === 0) return undefined;
  if (remove) await storage.delete(objects.map(({ key }) => key));
  const bytes = objects.reduce((sum, { size }) => sum + size, 0);
  return { experimentId: layout.experimentId, files: objects.length, bytes };
}

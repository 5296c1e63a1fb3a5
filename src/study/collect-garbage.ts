import type { RunLayout } from "../run/layout.ts";
import { isComplete, readReport } from "../run/report.ts";
import { readState } from "../run/state.ts";
import { listAll, type Storage } from "../storage/storage.ts";

export interface Garbage {
  experimentId: string;
  /**
   * `complete`: the run's tree is garbage. `incomplete`: it is all that a resumed run has. `foreign`: of Python Scythe,
   * which says of no run whether it is complete.
   */
  run: "complete" | "incomplete" | "foreign";
  files: number;
  bytes: number;
}

/**
 * What the tree of a run needed and its results do not: `scatter-gather/` of a complete run.
 * @param remove takes it away; otherwise it is only counted
 */
export async function collectGarbage(storage: Storage, layout: RunLayout, remove: boolean): Promise<Garbage> {
  const { experimentId } = layout;
  const [report, state] = await Promise.all([readReport(storage, layout), readState(storage, layout)]);
  if (!isComplete(state, report)) {
    return { experimentId, run: state ? "incomplete" : "foreign", files: 0, bytes: 0 };
  }
  const objects = await listAll(storage, layout.tree);
  if (remove) await storage.delete(objects.map(({ key }) => key));
  const bytes = objects.reduce((sum, { size }) => sum + size, 0);
  return { experimentId, run: "complete", files: objects.length, bytes };
}

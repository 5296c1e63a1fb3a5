import pMap from "p-map";
import { parseEvent, type RunLayout } from "../run/layout.ts";
import { isComplete, readReport } from "../run/report.ts";
import { readState } from "../run/state.ts";
import { readEvent } from "../runs/run-logs.ts";
import { listAll, type ObjectInfo, type Storage } from "../storage/storage.ts";
import type { ChunkEvent } from "../worker/supervisor/chunk-log.ts";

/** Events read concurrently. */
const CONCURRENCY = 16;

/** What a run keeps that it may no longer need: how many files, and how large. */
export interface Garbage {
  experimentId: string;
  /**
   * `complete`: the run's tree is garbage. `incomplete`: the tree is all that a resumed run has. `foreign`: a run of
   * Python Scythe, which does not record whether it is complete.
   */
  run: "complete" | "incomplete" | "foreign";
  files: number;
  bytes: number;
}

/**
 * What the tree of a complete run needed and its results do not: `scatter-gather/`, except logs of chunks with a failed
 * spec.
 * @param remove deletes it; otherwise it is only counted
 */
export async function collectGarbage(storage: Storage, layout: RunLayout, remove: boolean): Promise<Garbage> {
  const { experimentId } = layout;
  const [report, state] = await Promise.all([readReport(storage, layout), readState(storage, layout)]);
  if (!isComplete(state, report)) {
    return { experimentId, run: state ? "incomplete" : "foreign", files: 0, bytes: 0 };
  }
  const objects = await garbageOf(storage, layout);
  if (remove) await storage.delete(objects.map(({ key }) => key));
  const bytes = objects.reduce((sum, { size }) => sum + size, 0);
  return { experimentId, run: "complete", files: objects.length, bytes };
}

async function garbageOf(storage: Storage, layout: RunLayout): Promise<ObjectInfo[]> {
  const objects = await listAll(storage, layout.tree);
  const kept = new Set<string>();
  const events = objects.filter(({ key }) => parseEvent(key) !== undefined);
  await pMap(
    events,
    async ({ key }) => {
      const event = await readEvent(storage, key);
      if (event && hasFailed(event)) kept.add(key);
    },
    { concurrency: CONCURRENCY },
  );
  return objects.filter(({ key }) => !kept.has(key));
}

function hasFailed({ failures, failed, logs }: ChunkEvent): boolean {
  return (failed ?? []).length > 0 || (failures.length > 0 && logs.length > 0);
}

import { experimentId, RunLayout, timestampOf } from "../run/layout.ts";
import { newState, stateText } from "../run/state.ts";
import type { Storage } from "../storage/storage.ts";

/**
 * Claims the next free second of a version for a new run: the process that creates its `state.yml` owns it. A second
 * that holds any object (a run of Python Scythe has no state.yml) is never used again.
 */
export async function claimRun(
  storage: Storage,
  name: string,
  version: string,
  now: () => Date = () => new Date(),
): Promise<RunLayout> {
  const start = now().getTime();
  for (let second = 0; ; second++) {
    const id = { name, version, timestamp: timestampOf(new Date(start + second * 1000)) };
    if (await holdsAnything(storage, `${experimentId(id)}/`)) continue;
    const layout = new RunLayout(id);
    const { written } = await storage.put(layout.state, stateText(newState()), { ifAbsent: true });
    if (written) return layout;
  }
}

async function holdsAnything(storage: Storage, prefix: string): Promise<boolean> {
  for await (const _ of storage.list(prefix)) return true;
  return false;
}

import type { SlotPool } from "../slot-pool.ts";
import type { Host, Known } from "./host.ts";
import { keepAlive } from "./keep-alive.ts";
import type { SdkContext } from "./sdk.ts";
import type { LeafInput, Output } from "./tasks.ts";
import type { Turns } from "./turns.ts";

/**
 * One leaf. A task that Hatchet has cancelled frees its slot there while it still works here, so slots are counted here
 * as well.
 */
export async function runLeafTask(
  host: Host,
  turns: Turns,
  slots: SlotPool,
  program: Known,
  input: LeafInput,
  sdk: SdkContext,
): Promise<Output> {
  const { leafSilenceMs } = program.route;
  return host.roots.use(input.root, (ended) =>
    slots.use(async (slot, releaseSlot) => {
      const signal = AbortSignal.any([sdk.abortController.signal, ended, turns.handBack]);
      const alive = keepAlive(sdk, leafSilenceMs, leafSilenceMs);
      const attempt = input.attempt + sdk.retryCount(); // Hatchet gives a dead worker's task to another by itself
      try {
        if (turns.handBack.aborted) throw turns.handBack.reason;
        const done = attempt > 1 ? await program.code.lookupLeaf(input.leaf) : undefined;
        if (done !== undefined) return { value: done }; // by a worker that died before it could say so
        const context = { signal, attempt, capacity: slots.size, slot, heartbeat: alive.heard, releaseSlot };
        return { value: await program.code.leaf(input.leaf, context) };
      } finally {
        alive.stop();
      }
    }),
  );
}

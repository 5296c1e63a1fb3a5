import { setMaxListeners } from "node:events";
import { cancelled } from "../engine.ts";
import { runNodeLoop } from "../node-loop.ts";
import { Children, tooDeep } from "./children.ts";
import type { Host, Known } from "./host.ts";
import { keepAlive } from "./keep-alive.ts";
import { DEEPEST_LEVEL } from "./options.ts";
import type { SdkContext } from "./sdk.ts";
import { Spawner } from "./spawner.ts";
import { type NodeInput, type Output, ROOT_KEY } from "./tasks.ts";
import type { Turns } from "./turns.ts";

/**
 * One node, as a plain task that spawns its children and waits. (As a durable task the same took eight times as long.)
 * It remembers nothing: begun again elsewhere, it reads from storage how far it had come, and finds its children by key.
 */
export async function runNode(
  host: Host,
  turns: Turns,
  program: Known,
  input: NodeInput,
  sdk: SdkContext,
): Promise<Output> {
  if (input.level > DEEPEST_LEVEL) throw tooDeep(input.level);
  const root = input.root ?? sdk.workflowRunId();
  const own = sdk.abortController.signal;
  // Cancelled, most likely; but an attempt that overran its limit ends as well, and the next has begun.
  if (input.root === null) own.addEventListener("abort", () => void host.roots.look(root), { once: true });
  return host.roots.use(root, async (ended) => {
    const signal = AbortSignal.any([own, ended, turns.handBack]);
    setMaxListeners(0, signal); // each child waits on it
    const alive = keepAlive(sdk, host.options.nodeExecutionMs);
    const metadata = { ...input.metadata, [ROOT_KEY]: root };
    const parent = { runId: sdk.workflowRunId(), taskId: sdk.taskRunExternalId() };
    const spawner = new Spawner(host.client, parent, { signal, log: host.options.log });
    const children = new Children(host, { program, root, level: input.level, metadata, signal }, spawner);
    const stopped = AbortSignal.any([own, ended]);
    try {
      const value = await runNodeLoop(program.code, input.node, {
        signal,
        throwIfStopped: () => {
          if (turns.handBack.aborted) throw turns.handBack.reason;
          if (signal.aborted) throw cancelled();
        },
        context: async () => ({
          signal: stopped,
          attempt: sdk.retryCount() + 1,
          capacity: await children.capacity(),
          slot: 0,
          heartbeat: noop,
          releaseSlot: noop,
        }),
        planInTurn: (plan) => turns.expand(plan),
        runWave: (wave) => children.settle(wave),
      });
      return { value };
    } finally {
      alive.stop();
    }
  });
}

const noop = (): void => undefined;

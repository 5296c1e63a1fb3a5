import { setMaxListeners } from "node:events";
import type { Json, Settled, TaskContext } from "../engine.ts";
import { cancelled } from "../walk.ts";
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
    const context = async (): Promise<TaskContext> => ({
      signal: AbortSignal.any([own, ended]),
      attempt: sdk.retryCount() + 1,
      capacity: await children.capacity(),
      slot: 0,
      heartbeat: noop,
      releaseSlot: noop,
    });
    try {
      return { value: await walk(program, input.node, children, turns, context, signal) };
    } finally {
      alive.stop();
    }
  });
}

const noop = (): void => undefined;

async function walk(
  { code }: Known,
  node: Json,
  children: Children,
  turns: Turns,
  context: () => Promise<TaskContext>,
  signal: AbortSignal,
): Promise<Json> {
  const throwIfOver = () => {
    if (turns.handBack.aborted) throw turns.handBack.reason;
    if (signal.aborted) throw cancelled();
  };
  let settled: Settled[] = [];
  for (;;) {
    await code.ready?.(node, signal); // outside of its turn: other runs' nodes plan meanwhile
    throwIfOver();
    const wave = await turns.expand(async () => code.expand(node, settled, await context()));
    if ((wave.nodes?.length ?? 0) + (wave.leaves?.length ?? 0) === 0) break;
    settled = await children.settle(wave);
  }
  throwIfOver();
  return code.merge(node, await context());
}

import { isEmpty, type Json, type Settled, type TaskContext, type TreeProgram, type Wave } from "./engine.ts";

/** What an engine does for a node while the loop runs it. */
export interface NodeHost {
  /** Aborts when the node is to stop here: the run is cancelled, or this process gives the node away. */
  readonly signal: AbortSignal;
  /** Throws the reason when the node is to stop. */
  throwIfStopped(): void;
  context(): TaskContext | Promise<TaskContext>;
  /** Plans when it is the node's turn; without it, at once. */
  planInTurn?<T>(plan: () => Promise<T>): Promise<T>;
  /** Runs a wave until all of it has settled. @throws a child node's failure */
  runWave(wave: Wave): Promise<Settled[]>;
}

/** One node from its first `expand` to its `merge`, the same on every engine. */
export async function runNodeLoop(program: TreeProgram, node: Json, host: NodeHost): Promise<Json> {
  const planInTurn: NonNullable<NodeHost["planInTurn"]> = host.planInTurn ?? ((plan) => plan());
  let settled: Settled[] = [];
  for (;;) {
    await program.ready?.(node, host.signal); // outside of its turn: other runs' nodes plan meanwhile
    host.throwIfStopped();
    const wave = await planInTurn(async () => program.expand(node, settled, await host.context()));
    if (isEmpty(wave)) break;
    settled = await host.runWave(wave);
  }
  host.throwIfStopped();
  return program.merge(node, await host.context());
}

/**
 * Waits for all children of a wave, so that nothing is left running behind an error.
 * @throws the first child node's failure
 */
export async function settleAll(nodes: readonly Promise<Json>[], leaves: readonly Promise<Settled>[]) {
  const outcomes = await Promise.allSettled<unknown>([...nodes, ...leaves]);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
  return Promise.all(leaves);
}

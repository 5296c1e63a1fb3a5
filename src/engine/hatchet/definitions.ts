import { messageOf } from "../../errors.ts";
import { SlotPool } from "../slot-pool.ts";
import { type Host, type Known, programOf } from "./host.ts";
import { InHand } from "./in-hand.ts";
import { runLeafTask } from "./leaf-task.ts";
import { runNode } from "./node-task.ts";
import { DEEPEST_LEVEL } from "./options.ts";
import { loadSdk, type SdkContext, type SdkTask } from "./sdk.ts";
import { duration, type LeafInput, leafTaskName, type NodeInput, nodeTaskName, type Output } from "./tasks.ts";
import type { Turns } from "./turns.ts";
import { HANDED_BACK, stackWithError } from "./wire-error.ts";

/** How often a node may be handed back or begun anew; a node that fails is not begun again. */
const NODE_RETRIES = 100;

export interface Definitions {
  /** By level. */
  nodes: SdkTask[][];
  leaves: SdkTask[];
}

/** The Hatchet tasks of all programs. */
export function defineTasks(host: Host, turns: Turns): Definitions {
  const slots = new SlotPool(host.options.worker.slots);
  const inHand = new InHand<Output>();
  const known = Object.keys(host.programs).flatMap((name) => programOf(host, name) ?? []);
  return {
    nodes: Array.from({ length: DEEPEST_LEVEL + 1 }, (_, level) =>
      known.map((program) => nodeTask(host, turns, inHand, program, level)),
    ),
    leaves: known.map((program) => leafTask(host, turns, inHand, slots, program)),
  };
}

function nodeTask(host: Host, turns: Turns, inHand: InHand<Output>, program: Known, level: number): SdkTask {
  return host.client.task({
    name: nodeTaskName(program.name, level),
    description: `Nodes of level ${level} of ${program.name}`,
    retries: NODE_RETRIES,
    scheduleTimeout: duration(host.options.nodeScheduleMs),
    executionTimeout: duration(host.options.nodeExecutionMs),
    fn: (input: unknown, sdk: SdkContext) => {
      turns.onLevel(level);
      const begin = () => turns.count(() => told(runNode(host, turns, program, input as NodeInput, sdk)));
      return inHand.share(sdk, begin);
    },
  } as never) as unknown as SdkTask;
}

function leafTask(host: Host, turns: Turns, inHand: InHand<Output>, slots: SlotPool, program: Known): SdkTask {
  return host.client.task({
    name: leafTaskName(program.name),
    description: program.route.description ?? `Specs of ${program.name}`,
    retries: 0, // the node that spawned it tries again, and counts
    scheduleTimeout: duration(program.route.leafScheduleMs),
    executionTimeout: duration(program.route.leafSilenceMs),
    fn: (input: unknown, sdk: SdkContext) =>
      inHand.share(sdk, () =>
        turns.count(() => told(runLeafTask(host, turns, slots, program, input as LeafInput, sdk))),
      ),
  } as never) as unknown as SdkTask;
}

/** Errors in the form in which Hatchet carries them. What is handed back, Hatchet gives to another worker. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (messageOf(error).includes(HANDED_BACK)) throw error;
    const { NonRetryableError } = loadSdk();
    const final = new NonRetryableError(messageOf(error));
    final.stack = stackWithError(error);
    throw final;
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, ScytheError } from "../../errors.ts";
import { Semaphore } from "../semaphore.ts";
import { type Definitions, defineTasks } from "./definitions.ts";
import type { HatchetWorker } from "./hatchet-worker.ts";
import type { Host } from "./host.ts";
import { DEEPEST_LEVEL } from "./options.ts";
import { Pool } from "./pool.ts";
import type { SdkTask } from "./sdk.ts";
import { registerTasks, reportPatiently } from "./sdk-worker.ts";
import { Turns } from "./turns.ts";

/** Levels whose pools are there from the start. Deeper trees are rare, and each pool costs a thread and a stream. */
const EAGER_LEVELS = 2;

/** Takes tasks until stopped. @throws ScytheError `engine` when the server cannot be reached at first */
export async function serve(host: Host): Promise<HatchetWorker> {
  const turns = new Turns();
  const definitions = defineTasks(host, turns);
  reportPatiently(host.client, host.options.log);
  const { doesFan, doesLeaf, additionalWorkflows } = host.options.worker;
  if ((!doesFan && !doesLeaf && additionalWorkflows.length === 0) || definitions.leaves.length === 0) {
    throw new ScytheError("invalid_input", "The worker would do nothing", {
      hint: "Leave SCYTHE_WORKER_DOES_FAN or SCYTHE_WORKER_DOES_LEAF at their default, and have experiments in the config.",
    });
  }
  await registerTasks(host, [...definitions.leaves, ...definitions.nodes.flat()]);
  const running = new Running(host, turns, definitions);
  await running.begin();
  return running;
}

class Running implements HatchetWorker {
  readonly done: Promise<void>;
  readonly #host: Host;
  readonly #turns: Turns;
  readonly #definitions: Definitions;
  readonly #pools: Pool[] = [];
  readonly #levels = new Set<number>();
  readonly #oneByOne = new Semaphore(1);
  #end: () => void = () => undefined;
  #stopping: Promise<void> | undefined;

  constructor(host: Host, turns: Turns, definitions: Definitions) {
    this.#host = host;
    this.#turns = turns;
    this.#definitions = definitions;
    this.done = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get busy(): number {
    return this.#turns.busy;
  }

  get idleSince(): number {
    return this.#turns.lastBusy;
  }

  get connected(): boolean {
    return this.#stopping === undefined && this.#pools.every(({ connected }) => connected);
  }

  async begin(): Promise<void> {
    const { worker } = this.#host.options;
    const leaves = [
      ...(worker.doesLeaf ? this.#definitions.leaves : []),
      ...(worker.additionalWorkflows as readonly SdkTask[]),
    ];
    const levels = worker.doesFan ? Array.from({ length: EAGER_LEVELS }, (_, level) => this.#serveLevel(level)) : [];
    if (worker.doesFan) {
      this.#turns.onLevel = (level) => {
        if (level + 1 < EAGER_LEVELS) return;
        this.#serveLevel(level + 1).catch((error) => this.#host.options.log(messageOf(error)));
      };
    }
    await Promise.all([...(leaves.length > 0 ? [this.#open(worker.name, worker.slots, leaves)] : []), ...levels]);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => this.#end());
    return this.#stopping;
  }

  /** A process that has nodes of one level takes those of the next as well, from then on. */
  async #serveLevel(level: number): Promise<void> {
    if (this.#levels.has(level) || level > DEEPEST_LEVEL || this.#stopping) return;
    this.#levels.add(level);
    const { name, nodeSlots } = this.#host.options.worker;
    await this.#open(`${name}--nodes${level}`, nodeSlots, this.#definitions.nodes[level] ?? []);
  }

  async #open(name: string, slots: number, tasks: readonly SdkTask[]): Promise<void> {
    const pool = new Pool(this.#host, { name, slots, tasks }, this.#oneByOne);
    this.#pools.push(pool);
    await pool.begin();
  }

  /** Takes no more, hands back what waits, lets specs in hand finish, and leaves the rest to whoever finds it missing. */
  async #stop(): Promise<void> {
    const { worker, log } = this.#host.options;
    const until = performance.now() + worker.graceMs;
    await Promise.all(this.#pools.map((pool) => pool.pause()));
    this.#turns.stop(worker.name);
    while (this.#turns.busy > 0 && performance.now() < until) await sleep(20);
    if (this.#turns.busy > 0) log(`${this.#turns.busy} tasks did not finish in time; other workers take them over`);
    else await sleep(50); // the last report is on its way
    await Promise.all(this.#pools.map((pool) => pool.stop()));
    this.#host.ends.close();
  }
}

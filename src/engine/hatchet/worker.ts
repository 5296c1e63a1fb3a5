import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, ScytheError } from "../../errors.ts";
import { Semaphore } from "../semaphore.ts";
import type { Host } from "./host.ts";
import { DEEPEST_LEVEL } from "./options.ts";
import { retryUntil } from "./retry-until.ts";
import type { SdkTask, SdkWorker } from "./sdk.ts";
import { announce, makeWorkerWithoutSignalHandlers } from "./sdk-hooks.ts";
import type { HatchetWorker } from "./shown.ts";
import { defineTasks, type Tasks, Workload } from "./tasks.ts";

/** Levels whose pools are there from the start. Deeper trees are rare, and each pool costs a thread and a stream. */
const EAGER_LEVELS = 2;

/** Takes tasks until stopped. @throws ScytheError `engine` when the server cannot be reached at first */
export async function serve(host: Host): Promise<HatchetWorker> {
  const workload = new Workload();
  const tasks = defineTasks(host, workload);
  const { doesFan, doesLeaf, additionalWorkflows } = host.options.worker;
  if ((!doesFan && !doesLeaf && additionalWorkflows.length === 0) || tasks.leaves.length === 0) {
    throw new ScytheError("invalid_input", "The worker would do nothing", {
      hint: "Leave SCYTHE_WORKER_DOES_FAN or SCYTHE_WORKER_DOES_LEAF at their default, and have experiments in the config.",
    });
  }
  await registerTasks(host, [...tasks.leaves, ...tasks.nodes.flat()]);
  const worker = new ServingWorker(host, workload, tasks);
  await worker.begin();
  return worker;
}

class ServingWorker implements HatchetWorker {
  readonly done: Promise<void>;
  readonly #host: Host;
  readonly #workload: Workload;
  readonly #tasks: Tasks;
  readonly #pools: Pool[] = [];
  readonly #levels = new Set<number>();
  readonly #announcing = new Semaphore(1);
  #end: () => void = () => undefined;
  #stopping: Promise<void> | undefined;

  constructor(host: Host, workload: Workload, tasks: Tasks) {
    this.#host = host;
    this.#workload = workload;
    this.#tasks = tasks;
    this.done = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get busy(): number {
    return this.#workload.busy;
  }

  get idleSince(): number {
    return this.#workload.idleSince;
  }

  get connected(): boolean {
    return this.#stopping === undefined && this.#pools.every(({ connected }) => connected);
  }

  async begin(): Promise<void> {
    const { worker } = this.#host.options;
    const leaves = [
      ...(worker.doesLeaf ? this.#tasks.leaves : []),
      ...(worker.additionalWorkflows as readonly SdkTask[]),
    ];
    const levels = worker.doesFan ? Array.from({ length: EAGER_LEVELS }, (_, level) => this.#serveLevel(level)) : [];
    if (worker.doesFan) {
      this.#workload.onNode = (level) => {
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
    await this.#open(`${name}--nodes${level}`, nodeSlots, this.#tasks.nodes[level] ?? []);
  }

  async #open(name: string, slots: number, tasks: readonly SdkTask[]): Promise<void> {
    const pool = new Pool(this.#host, { name, slots, tasks }, this.#announcing);
    this.#pools.push(pool);
    await pool.begin();
  }

  /** Takes no more, hands back what waits, lets running specs finish; the rest is found missing by other workers. */
  async #stop(): Promise<void> {
    const { worker, log } = this.#host.options;
    const workload = this.#workload;
    const until = performance.now() + worker.graceMs;
    await Promise.all(this.#pools.map((pool) => pool.pause()));
    workload.stop(worker.name);
    while (workload.busy > 0 && performance.now() < until) await sleep(20);
    if (workload.busy > 0) log(`${workload.busy} tasks did not finish in time; other workers take them over`);
    else await sleep(50); // the last report is on its way
    await Promise.all(this.#pools.map((pool) => pool.stop()));
    this.#host.ends.close();
  }
}

interface PoolOptions {
  name: string;
  slots: number;
  tasks: readonly SdkTask[];
}

const READY_MS = 30_000;
const RECONNECT_MS = 5_000;
/** Most time that a pool waits for the server to hear that it pauses or stops. */
const GOODBYE_MS = 3_000;

/**
 * One pool of slots: the leaves, or the nodes of one level. To Hatchet each is a worker of its own. (It knows slots of
 * several kinds within a worker as well, but then its scheduler pauses for seconds whenever they are used up.)
 */
class Pool {
  readonly #host: Host;
  readonly #options: PoolOptions;
  readonly #announcing: Semaphore;
  #sdk: SdkWorker | undefined;
  #stopping = false;
  connected = false;

  /** @param announcing shared by the pools of a process: they make themselves known one after the other */
  constructor(host: Host, options: PoolOptions, announcing: Semaphore) {
    this.#host = host;
    this.#options = options;
    this.#announcing = announcing;
  }

  /** Resolves once tasks may come. @throws ScytheError `engine` */
  async begin(): Promise<void> {
    const { listening } = await this.#connect();
    void this.#keepConnected(listening);
  }

  /** Asks the server for no more tasks; those that run keep their place. */
  async pause(): Promise<void> {
    this.#stopping = true;
    const { log } = this.#host.options;
    const paused = this.#sdk
      ?.pause()
      .catch((error) => log(`Hatchet did not hear that it is to send no more: ${messageOf(error)}`));
    await Promise.race([paused, sleep(GOODBYE_MS, undefined, { ref: false })]);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const stopped = Promise.resolve(this.#sdk?.stop()).catch(() => undefined);
    await Promise.race([stopped, sleep(GOODBYE_MS, undefined, { ref: false })]);
  }

  /** Registers each time: the server gives up a worker that was away for long. */
  async #connect(): Promise<{ listening: Promise<void> }> {
    const { name, slots, tasks } = this.#options;
    const sdk = await makeSdkWorker(this.#host, name, slots, tasks);
    this.#sdk = sdk;
    const listening = sdk.start().finally(() => {
      this.connected = false;
    });
    const failed = listening.then(() => {
      throw new ScytheError("engine", "Hatchet ended the worker's connection at once");
    });
    failed.catch(() => undefined);
    await Promise.race([sdk.waitUntilReady(READY_MS), failed]);
    await this.#announcing.use(() => announce(this.#host.client, sdk));
    this.connected = true;
    return { listening }; // in an object, lest awaiting us awaits its end
  }

  /** The SDK gives up after some minutes without a server: then the worker is made again. */
  async #keepConnected(first: Promise<void>): Promise<void> {
    const { log } = this.#host.options;
    let listening: Promise<void> | undefined = first;
    for (;;) {
      await listening?.catch((error) => log(`lost the connection to Hatchet: ${messageOf(error)}`));
      if (this.#stopping) return;
      await sleep(RECONNECT_MS);
      if (this.#stopping) return;
      try {
        ({ listening } = await this.#connect());
      } catch (error) {
        listening = undefined;
        log(`could not connect to Hatchet: ${messageOf(error)}`);
      }
    }
  }
}

const REGISTER_WITHIN_MS = 60_000;

/** Makes a worker of the SDK that serves these tasks, registered but not started. */
async function makeSdkWorker(
  { client, options }: Host,
  name: string,
  slots: number,
  tasks: readonly SdkTask[],
): Promise<SdkWorker> {
  const labels = { ...options.worker.labels };
  const worker = await makeWorkerWithoutSignalHandlers(() => client.worker(name, { slots, labels, handleKill: false }));
  const register = () => Promise.all(tasks.map((task) => worker.registerWorkflows([task as never])));
  await retryUntil("to register tasks", register, { withinMs: REGISTER_WITHIN_MS, log: options.log });
  return worker;
}

/** Makes tasks known to the server without serving them: what it does not know, it drops when it is triggered. */
export async function registerTasks(host: Host, tasks: readonly SdkTask[]): Promise<void> {
  if (tasks.length > 0) await makeSdkWorker(host, host.options.worker.name, 1, tasks);
}

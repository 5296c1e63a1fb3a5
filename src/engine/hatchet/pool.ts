import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, ScytheError } from "../../errors.ts";
import type { Semaphore } from "../semaphore.ts";
import type { Host } from "./host.ts";
import type { SdkTask, SdkWorker } from "./sdk.ts";
import { announce, makeSdkWorker } from "./sdk-worker.ts";

const READY_MS = 30_000;
const RECONNECT_MS = 5_000;
const PATIENCE_MS = 3_000;

/**
 * One pool of slots: the leaves, or the nodes of one level. To Hatchet each is a worker of its own. (It knows slots of
 * several kinds within a worker as well, but then its scheduler pauses for seconds whenever they are used up.)
 */
export class Pool {
  readonly #host: Host;
  readonly #name: string;
  readonly #slots: number;
  readonly #tasks: readonly SdkTask[];
  readonly #oneByOne: Semaphore;
  #sdk: SdkWorker | undefined;
  #stopping = false;
  connected = false;

  /** @param oneByOne shared by the pools of a process: they make themselves known one after the other */
  constructor(
    host: Host,
    { name, slots, tasks }: { name: string; slots: number; tasks: readonly SdkTask[] },
    oneByOne: Semaphore,
  ) {
    this.#host = host;
    this.#name = name;
    this.#slots = slots;
    this.#tasks = tasks;
    this.#oneByOne = oneByOne;
  }

  /** Resolves once tasks may come. @throws ScytheError `engine` */
  async begin(): Promise<void> {
    const { listening } = await this.#connect();
    void this.#keepConnected(listening);
  }

  /** Asks the server for no more tasks; what is in hand keeps its place. */
  async pause(): Promise<void> {
    this.#stopping = true;
    const { log } = this.#host.options;
    const paused = this.#sdk
      ?.pause()
      .catch((error) => log(`Hatchet was not told to send no more: ${messageOf(error)}`));
    await Promise.race([paused, sleep(PATIENCE_MS, undefined, { ref: false })]);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const stopped = Promise.resolve(this.#sdk?.stop()).catch(() => undefined);
    await Promise.race([stopped, sleep(PATIENCE_MS, undefined, { ref: false })]);
  }

  /** Registers anew each time: the server gives up a worker that was away for long. */
  async #connect(): Promise<{ listening: Promise<void> }> {
    const sdk = await makeSdkWorker(this.#host, this.#name, this.#slots, this.#tasks);
    this.#sdk = sdk;
    const listening = sdk.start().finally(() => {
      this.connected = false;
    });
    const failed = listening.then(() => {
      throw new ScytheError("engine", "Hatchet ended the worker's connection at once");
    });
    failed.catch(() => undefined);
    await Promise.race([sdk.waitUntilReady(READY_MS), failed]);
    await this.#oneByOne.use(() => announce(this.#host.client, sdk));
    this.connected = true;
    return { listening }; // in an object, lest awaiting us awaits its end
  }

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

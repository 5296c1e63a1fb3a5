import { setTimeout as sleep } from "node:timers/promises";
import { patiently } from "./patience.ts";
import type { Client } from "./sdk.ts";

/** A child to be triggered. */
export interface Child {
  task: string;
  input: object;
  key: string;
  labels: Readonly<Record<string, string>>;
  metadata: Record<string, string>;
}

interface Parent {
  runId: string;
  taskId: string;
}

interface Waiting {
  child: Child;
  resolve: (runId: string) => void;
  reject: (error: unknown) => void;
}

/** Children of one request: 500 is the SDK's own bound, the server takes 4 MiB. */
const MOST_AT_ONCE = 200;
/** Children asked for within this time go in one request. */
const GATHER_MS = 5;
/** An engine that restarts, or a database that is moved, may take this long. */
const PATIENCE_MS = 15 * 60_000;

/**
 * Triggers the children of one node, many in a request. Asking twice is safe: a key names one child. Their tasks must be
 * registered: the server accepts any name, and drops what it does not know without a word.
 */
export class Spawner {
  readonly #client: Client;
  readonly #parent: Parent;
  readonly #signal: AbortSignal;
  readonly #log: (line: string) => void;
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(client: Client, parent: Parent, options: { signal: AbortSignal; log: (line: string) => void }) {
    this.#client = client;
    this.#parent = parent;
    this.#signal = options.signal;
    this.#log = options.log;
  }

  /** The run id of the child. */
  spawn(child: Child): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ child, resolve, reject });
      if (!this.#busy) void this.#send();
    });
  }

  async #send(): Promise<void> {
    this.#busy = true;
    await sleep(GATHER_MS);
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MOST_AT_ONCE);
      try {
        const runIds = await this.#trigger(batch.map(({ child }) => child));
        for (const [i, { resolve }] of batch.entries()) resolve(runIds[i]!);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#busy = false;
  }

  async #trigger(children: readonly Child[]): Promise<string[]> {
    const runs = children.map(({ task, input, key, labels, metadata }) => ({
      workflowName: task,
      input,
      options: {
        parentId: this.#parent.runId,
        parentTaskRunExternalId: this.#parent.taskId,
        childIndex: 0,
        childKey: key,
        additionalMetadata: metadata,
        desiredWorkerLabels: required(labels),
      },
    }));
    const trigger = async () => {
      this.#signal.throwIfAborted();
      const refs = await this.#client.admin.runWorkflows(runs);
      return Promise.all(refs.map((ref) => ref.runId));
    };
    return patiently("to start tasks", trigger, { patienceMs: PATIENCE_MS, signal: this.#signal, log: this.#log });
  }
}

export function required(labels: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, { value, required: true }]));
}

import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "../engine.ts";
import { type Client, refusalOf } from "./sdk.ts";
import { type RunEvent, subscribeToRunEnds } from "./sdk-hooks.ts";
import type { Output } from "./wire.ts";

/** How a Hatchet run ended. */
export type RunEnd =
  | { kind: "completed"; value: Json }
  | { kind: "failed"; error: string }
  /** By a person, or because no worker took it in time: Hatchet does not say which. */
  | { kind: "cancelled" }
  /** The server knows of no such run: its history may have been cleared. */
  | { kind: "unknown" };

/** Another source that may know the result already: storage. */
export type Lookup = () => Promise<Json | undefined>;

interface Waiter {
  settle: (end: RunEnd) => void;
  lookup: Lookup | undefined;
  /** When to ask about it, if nothing was heard by then. */
  askAt: number;
  pause: number;
  /** How often the server has not known the run: what was just triggered may take a moment to be there. */
  unknown: number;
}

const TICK_MS = 1_000;
/** Silence after which a run is asked about, growing to the longest: a lost notification costs seconds, not the run. */
const FIRST_ASK_MS = 5_000;
const MAX_ASK_MS = 30_000;
/** Runs asked about in one tick: what a thousand workers ask together must not weigh on the server. */
const ASKED_PER_TICK = 8;
const UNKNOWN_TIMES = 3;
/** A stream that nobody needs is kept open this long: the next wait is usually near. */
const IDLE_MS = 500;

/** Waits for runs to end: one stream tells of all of them, and those that are silent for long are asked about. */
export class RunEnds {
  readonly #client: Client;
  readonly #waiting = new Map<string, Waiter>();
  /** Those of the open stream. */
  #requests: RequestQueue | undefined;
  #ticking: NodeJS.Timeout | undefined;
  #idleSince: number | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /** @throws the signal's reason */
  async wait(runId: string, options: { signal?: AbortSignal; lookup?: Lookup } = {}): Promise<RunEnd> {
    options.signal?.throwIfAborted();
    return new Promise<RunEnd>((resolve, reject) => {
      const earlier = this.#waiting.get(runId); // of the same process, such as a node that was begun again
      const own: Waiter = {
        settle: (end) => {
          options.signal?.removeEventListener("abort", onAbort);
          if (this.#waiting.get(runId) === own) this.#waiting.delete(runId);
          earlier?.settle(end);
          resolve(end);
        },
        lookup: options.lookup,
        askAt: Date.now() + FIRST_ASK_MS,
        pause: FIRST_ASK_MS,
        unknown: 0,
      };
      const onAbort = () => {
        if (this.#waiting.get(runId) === own) {
          if (earlier) this.#waiting.set(runId, earlier);
          else this.#waiting.delete(runId);
        }
        reject(options.signal?.reason);
      };
      options.signal?.addEventListener("abort", onAbort);
      this.#waiting.set(runId, own);
      this.#listen(runId);
    });
  }

  /** Asks the server. @throws when it cannot be reached */
  async ask(runId: string): Promise<RunEnd | undefined> {
    try {
      const details = await this.#client.runs.getDetails(runId);
      if (!details.done) return undefined;
      const [task] = Object.values(details.taskRuns);
      if (details.status === "FAILED") return { kind: "failed", error: task?.error ?? "" };
      if (details.status === "CANCELLED") return { kind: "cancelled" };
      return { kind: "completed", value: (task?.output as Output | null)?.value ?? null };
    } catch (error) {
      if (refusalOf(error) === "NOT_FOUND" || refusalOf(error) === "INVALID_ARGUMENT") return { kind: "unknown" };
      throw error;
    }
  }

  #listen(runId: string): void {
    this.#idleSince = undefined;
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS).unref();
    if (this.#requests) this.#requests.push(runId);
    else void this.#follow();
  }

  /** Reads the stream, and opens it again when it breaks; what it did not say meanwhile is asked for. */
  async #follow(): Promise<void> {
    const requests = new RequestQueue();
    this.#requests = requests;
    for (let failures = 0; !requests.closed; failures++) {
      if (failures > 0) await sleep(Math.min(100 * 2 ** failures, 5_000));
      requests.restart(this.#waiting.keys());
      try {
        for await (const event of subscribeToRunEnds(this.#client, requests.read(), requests.signal)) {
          failures = 0;
          this.#heard(event);
        }
      } catch {
        // opened again
      }
    }
  }

  #heard({ workflowRunId, results }: RunEvent): void {
    const waiter = this.#waiting.get(workflowRunId);
    if (!waiter) return;
    const [result] = results;
    if (result?.error) waiter.settle({ kind: "failed", error: result.error });
    else if (result?.output) waiter.settle({ kind: "completed", value: (JSON.parse(result.output) as Output).value });
    else waiter.askAt = 0; // cancelled, or too terse to tell
  }

  #tick(): void {
    this.#closeWhenIdle();
    const now = Date.now();
    const due = [...this.#waiting].filter(([, { askAt }]) => askAt <= now).slice(0, ASKED_PER_TICK);
    due.forEach(([runId, waiter], i) => {
      waiter.pause = Math.min(waiter.pause * 1.5, MAX_ASK_MS);
      waiter.askAt = now + waiter.pause * (0.75 + Math.random() / 2);
      void this.#askAfter(runId, waiter, i === 0);
    });
  }

  /** Storage is asked about one run a tick: that may be a listing. */
  async #askAfter(runId: string, waiter: Waiter, alsoStorage: boolean): Promise<void> {
    const end = await this.ask(runId).catch(() => undefined);
    if (end && (end.kind !== "unknown" || ++waiter.unknown >= UNKNOWN_TIMES)) return waiter.settle(end);
    if (!alsoStorage) return;
    const value = await waiter.lookup?.().catch(() => undefined);
    if (value !== undefined) waiter.settle({ kind: "completed", value });
  }

  #closeWhenIdle(): void {
    if (this.#waiting.size > 0) return;
    this.#idleSince ??= Date.now();
    if (Date.now() - this.#idleSince >= IDLE_MS) this.close();
  }

  /** Ends the stream; those who wait are asked for no more. */
  close(): void {
    clearInterval(this.#ticking);
    this.#ticking = undefined;
    this.#requests?.close();
    this.#requests = undefined;
  }
}

/** The requests of one stream: an endless iterable that is fed while it is read. */
class RequestQueue {
  readonly #stop = new AbortController();
  #queue: string[] = [];
  #wake: () => void = () => undefined;
  #reader = 0;

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get closed(): boolean {
    return this.#stop.signal.aborted;
  }

  push(runId: string): void {
    this.#queue.push(runId);
    this.#wake();
  }

  restart(runIds: Iterable<string>): void {
    this.#queue = [...runIds];
    this.#wake();
  }

  close(): void {
    this.#stop.abort();
    this.#wake();
  }

  async *read(): AsyncGenerator<{ workflowRunId: string }> {
    const reader = ++this.#reader; // an earlier stream's reader must not take what is this one's
    while (!this.closed && reader === this.#reader) {
      const runId = this.#queue.shift();
      if (runId !== undefined) yield { workflowRunId: runId };
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

import { ServerError, Status } from "nice-grpc";
import { randomFrom } from "../../src/sampling/random.ts";
import type { Outbox, Timers } from "./hatchet-wire.ts";

/** What goes wrong by itself: chances in [0, 1] a message, drawn from the seed. In good weather all are 0. */
export const GOOD_WEATHER = {
  /** A call is refused before anything is done. */
  refuseCalls: 0,
  /** A call is carried out but its reply is lost: the caller sees a broken connection. */
  dropReplies: 0,
  /** A call is carried out but its reply comes late. */
  delayReplies: 0,
  /** A worker is told of a task, or of its cancellation, twice. */
  doubleActions: 0,
  delayActions: 0,
  /** A worker is told later than of what came after. */
  reorderActions: 0,
  /** A worker is never told of a task that the server believes it runs: only the time limit helps. */
  loseActions: 0,
  /** As above, for the news that a run has ended. */
  doubleNotices: 0,
  delayNotices: 0,
  reorderNotices: 0,
  /** 1: nobody is ever told of an end. */
  loseNotices: 0,
  /** The stream of news breaks instead of telling of an end. */
  resetNotices: 0,
  /** A task is given to another slot a moment after it began, while the first runs on. */
  reassign: 0,
};
export type Weather = typeof GOOD_WEATHER;

type Fault = "refuse" | "drop";
type Stream = Outbox<never>;

interface RunningTasks {
  reassign(which: (task: string) => boolean): string[];
  expire(which: (task: string) => boolean): string[];
}

/** A message that was held back goes after this time even if nothing overtakes it. */
const HELD_MS = 60;

/**
 * The stand-in's bad side: rates, and one-shot commands. A method of gRPC is named as in its proto file
 * (`SendStepActionEvent`, `BulkTriggerWorkflow`, …).
 */
export class Misbehaviour {
  readonly rates: Weather = { ...GOOD_WEATHER };
  /** Bounds of every delay. */
  delayMs: [number, number] = [20, 200];
  /** Methods that rates leave alone: the SDK calls these once at a worker's birth, and gives up for good. */
  spared = new Set(["Register", "GetVersion"]);
  readonly #random: () => number;
  readonly #timers: Timers;
  readonly #count: (what: string) => void;
  readonly #planned = new Map<string, Fault[]>();
  readonly #held = new Map<Stream, (() => void)[]>();
  readonly #streams = { workers: new Set<Stream>(), runs: new Set<Stream>() };
  #lost = { left: 0, which: (_task: string) => true };
  #running: RunningTasks = { reassign: () => [], expire: () => [] };

  constructor(seed: number, timers: Timers, count: (what: string) => void) {
    this.#random = randomFrom(seed, 0);
    this.#timers = timers;
    this.#count = count;
  }

  /** Sets rates; the others stay. */
  set(weather: Partial<Weather>): void {
    Object.assign(this.rates, weather);
  }

  /** Good weather from now on. */
  calm(): void {
    this.set(GOOD_WEATHER);
    this.#planned.clear();
  }

  /** The next call of the method is carried out; its reply is lost. */
  dropNextReply(method: string): void {
    this.#plan(method, "drop");
  }

  /** The next call of the method is refused, undone. */
  refuseNext(method: string): void {
    this.#plan(method, "refuse");
  }

  #plan(method: string, fault: Fault): void {
    this.#planned.set(method, [...(this.#planned.get(method) ?? []), fault]);
  }

  /** So many starts of tasks are lost on their way to a worker, as by `loseActions`. */
  loseStarts(count: number, which: (task: string) => boolean = () => true): void {
    this.#lost = { left: count, which };
  }

  /** @internal */
  losesStart(task: string): boolean {
    if (this.#lost.left === 0 || !this.#lost.which(task)) return false;
    this.#lost.left--;
    this.#count("loseActions");
    return true;
  }

  /** Breaks open streams: those on which workers hear of tasks, or those on which waiters hear of ends. */
  resetStreams(which: "workers" | "runs" | "all" = "all"): number {
    const workers = which === "runs" ? [] : [...this.#streams.workers];
    const runs = which === "workers" ? [] : [...this.#streams.runs];
    for (const stream of [...workers, ...runs]) this.#break(stream);
    return workers.length + runs.length;
  }

  /** Gives running tasks to other slots, as if their worker were dead, while they run on. @returns their run ids */
  reassignRunning(which: (task: string) => boolean = () => true): string[] {
    return this.#running.reassign(which);
  }

  /** Lets the time limit of running tasks pass now. @returns their run ids */
  expireRunning(which: (task: string) => boolean = () => true): string[] {
    return this.#running.expire(which);
  }

  /** @internal */
  attach(running: RunningTasks): void {
    this.#running = running;
  }

  /** @internal */
  draws(rate: keyof Weather): boolean {
    const hit = this.rates[rate] > 0 && this.#random() < this.rates[rate];
    if (hit) this.#count(rate);
    return hit;
  }

  /** @internal */
  delay(): number {
    const [least, most] = this.delayMs;
    return least + (most - least) * this.#random();
  }

  /** @internal What happens around a call that has one answer. */
  async around<T>(method: string, call: () => Promise<T>): Promise<T> {
    const planned = this.#planned.get(method)?.shift();
    const befalls = (fault: Fault, rate: keyof Weather) =>
      planned ? planned === fault : !this.spared.has(method) && this.draws(rate);
    if (befalls("refuse", "refuseCalls")) throw broken("refused before it was carried out");
    const reply = await call();
    if (befalls("drop", "dropReplies")) throw broken("reply dropped");
    if (!planned && !this.spared.has(method) && this.draws("delayReplies")) {
      await new Promise<void>((resolve) => this.#timers.after(this.delay(), resolve));
    }
    return reply;
  }

  /** @internal Sends a message on a stream, or does not, or too often, or too late. */
  send<T>(kind: "Actions" | "Notices", stream: Outbox<T>, message: T): void {
    if (kind === "Notices" && this.draws("resetNotices")) {
      this.#break(stream as Stream);
      return;
    }
    if (this.draws(`lose${kind}`)) return;
    const push = () => stream.push(message);
    const overtaken = this.#held.get(stream as Stream) ?? [];
    for (let copies = this.draws(`double${kind}`) ? 2 : 1; copies > 0; copies--) {
      if (this.draws(`delay${kind}`)) this.#timers.after(this.delay(), push);
      else if (this.draws(`reorder${kind}`)) this.#hold(stream as Stream, push);
      else push();
    }
    for (const late of overtaken) late();
  }

  #hold(stream: Stream, push: () => void): void {
    const once = () => {
      const held = this.#held.get(stream) ?? [];
      if (!held.includes(once)) return;
      this.#held.set(
        stream,
        held.filter((other) => other !== once),
      );
      push();
    };
    this.#held.set(stream, [...(this.#held.get(stream) ?? []), once]);
    this.#timers.after(HELD_MS, once);
  }

  #break(stream: Stream): void {
    this.#count("resetStreams");
    stream.end(broken("stream reset"));
  }

  /** @internal @returns how to forget the stream */
  watch<T>(which: "workers" | "runs", stream: Outbox<T>): () => void {
    this.#streams[which].add(stream as Stream);
    return () => {
      this.#streams[which].delete(stream as Stream);
      this.#held.delete(stream as Stream);
    };
  }
}

function broken(what: string): ServerError {
  return new ServerError(Status.UNAVAILABLE, `stand-in: ${what}`);
}

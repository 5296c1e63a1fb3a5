import type { Storage } from "../storage/storage.ts";
import { type Controls, NO_CONTROLS, readControls } from "./control.ts";
import type { RunLayout } from "./layout.ts";

const POLL_MS = 1_000;
/** Longer than {@link POLL_MS}: a cluster has many workers, and each poll of a bucket costs a little. */
export const CLUSTER_POLL_MS = 3_000;

/** What a run's work must obey. */
export interface Steering {
  readonly controls: Controls;
  /** Aborts when no further spec may start: the run was cancelled, paused, closed, or is driven by another process. */
  readonly stop: AbortSignal;
  /** Aborts when running specs must be killed. */
  readonly kill: AbortSignal;
  /** Resolves when the run is not paused, must stop, or `signal` aborts. */
  unpaused(signal: AbortSignal): Promise<void>;
}

/**
 * Polls the requests for the runs that this process works on: one listing of a few keys every second or so, only while
 * there is work. The driver and a cluster's workers use the same watch.
 */
export class ControlWatch {
  readonly #storage: Storage;
  readonly #pollMs: number;
  readonly #watched = new Map<string, Watched>();

  constructor(storage: Storage, pollMs = POLL_MS) {
    this.#storage = storage;
    this.#pollMs = pollMs;
  }

  async use<T>(layout: RunLayout, epoch: number, work: (steering: Steering) => Promise<T>): Promise<T> {
    const watched = this.#of(layout, epoch);
    watched.enter();
    try {
      await watched.fresh();
      return await work(watched);
    } finally {
      watched.leave();
    }
  }

  /** Sets controls for this process's own work. They apply at once, whether storage can be reached or not. */
  set(layout: RunLayout, epoch: number, change: Partial<Controls>): void {
    this.#of(layout, epoch).set(change);
  }

  #of(layout: RunLayout, epoch: number): Watched {
    const key = `${layout.experimentId} ${epoch}`;
    let watched = this.#watched.get(key);
    if (!watched) {
      const read = () => readControls(this.#storage, layout, epoch);
      watched = new Watched(read, this.#pollMs, () => this.#watched.delete(key));
      this.#watched.set(key, watched);
    }
    return watched;
  }
}

class Watched implements Steering {
  controls: Controls = NO_CONTROLS;
  readonly #read: () => Promise<Controls>;
  readonly #pollMs: number;
  readonly #forget: () => void;
  #users = 0;
  /** Set by this process; it overrides what storage says. */
  #own: Partial<Controls> = {};
  #stop = new AbortController();
  readonly #kill = new AbortController();
  #waiting: (() => void)[] = [];
  #polling: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(read: () => Promise<Controls>, pollMs: number, forget: () => void) {
    this.#read = read;
    this.#pollMs = pollMs;
    this.#forget = forget;
  }

  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  get kill(): AbortSignal {
    return this.#kill.signal;
  }

  enter(): void {
    this.#users++;
    this.#timer?.ref();
  }

  /** Without work, polling does not keep the process alive. */
  leave(): void {
    this.#users--;
    if (this.#users === 0) this.#timer?.unref();
  }

  /** Resolves at once when the last poll is recent. */
  async fresh(): Promise<void> {
    if (!this.#timer) await this.#poll();
  }

  set(change: Partial<Controls>): void {
    this.#own = { ...this.#own, ...change };
    this.#apply(this.controls);
  }

  unpaused(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const proceed = () => {
        signal.removeEventListener("abort", proceed);
        resolve();
      };
      if (!this.#isPaused() || signal.aborted) return proceed();
      this.#waiting.push(proceed);
      signal.addEventListener("abort", proceed);
    });
  }

  #poll(): Promise<void> {
    this.#polling ??= this.#pollOnce().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  async #pollOnce(): Promise<void> {
    clearTimeout(this.#timer);
    const found = await this.#read().catch(() => this.controls); // an unreachable storage changes nothing
    this.#apply(found);
    this.#timer = setTimeout(() => {
      if (this.#users > 0) void this.#poll();
      else this.#forget();
    }, this.#pollMs);
    if (this.#users === 0) this.#timer.unref();
  }

  #apply(found: Controls): void {
    this.controls = { ...found, ...this.#own };
    const { cancel } = this.controls;
    const isOver = this.controls.superseded || this.controls.closed;
    if (cancel === "now" || isOver) this.#kill.abort();
    if (cancel !== "no" || isOver || this.controls.paused) this.#stop.abort();
    else if (this.#stop.signal.aborted) this.#stop = new AbortController(); // it was paused
    if (!this.#isPaused()) for (const proceed of this.#waiting.splice(0)) proceed();
  }

  #isPaused(): boolean {
    const { cancel, paused, superseded, closed } = this.controls;
    return paused && cancel === "no" && !superseded && !closed;
  }
}

import type { Storage } from "../storage/storage.ts";
import { type Controls, NO_CONTROLS, readControls } from "./control.ts";
import type { RunLayout } from "./layout.ts";

const LOOK_MS = 1_000;
/** A cluster's workers are many, and each look at a bucket costs a little. */
export const CLUSTER_LOOK_MS = 3_000;

/** How the work on a run is steered. */
export interface Steering {
  readonly controls: Controls;
  /** Aborts when no further spec is to be begun: cancelled, paused, left, or driven by somebody else. */
  readonly stop: AbortSignal;
  /** Aborts when the specs in hand are to be killed. */
  readonly kill: AbortSignal;
  /** Resolves when the run is not paused, or is to stop, or `signal` aborts. */
  unpaused(signal: AbortSignal): Promise<void>;
}

/**
 * Tells the work of this process what is asked of its runs: one listing of a few keys every second or so, while there is work on it. Whatever
 * works for a run hears of it so, be it in the process that drives it or in a worker of a cluster.
 */
export class ControlWatch {
  readonly #storage: Storage;
  readonly #lookMs: number;
  readonly #watched = new Map<string, Watched>();

  constructor(storage: Storage, lookMs = LOOK_MS) {
    this.#storage = storage;
    this.#lookMs = lookMs;
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

  /** What this process asks of its own work: heard at once, whether storage can be reached or not. */
  tell(layout: RunLayout, epoch: number, change: Partial<Controls>): void {
    this.#of(layout, epoch).tell(change);
  }

  #of(layout: RunLayout, epoch: number): Watched {
    const key = `${layout.experimentId} ${epoch}`;
    let watched = this.#watched.get(key);
    if (!watched) {
      const read = () => readControls(this.#storage, layout, epoch);
      watched = new Watched(read, this.#lookMs, () => this.#watched.delete(key));
      this.#watched.set(key, watched);
    }
    return watched;
  }
}

class Watched implements Steering {
  controls: Controls = NO_CONTROLS;
  readonly #read: () => Promise<Controls>;
  readonly #lookMs: number;
  readonly #forget: () => void;
  #users = 0;
  /** What this process has said itself holds, whatever storage says. */
  #told: Partial<Controls> = {};
  #stop = new AbortController();
  readonly #kill = new AbortController();
  #waiting: (() => void)[] = [];
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(read: () => Promise<Controls>, lookMs: number, forget: () => void) {
    this.#read = read;
    this.#lookMs = lookMs;
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

  /** Without work, looking keeps no process alive. */
  leave(): void {
    this.#users--;
    if (this.#users === 0) this.#timer?.unref();
  }

  /** Resolves at once while the last look is recent. */
  async fresh(): Promise<void> {
    if (!this.#timer) await this.#look();
  }

  tell(change: Partial<Controls>): void {
    this.#told = { ...this.#told, ...change };
    this.#apply(this.controls);
  }

  unpaused(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const goOn = () => {
        signal.removeEventListener("abort", goOn);
        resolve();
      };
      if (!this.#isPaused() || signal.aborted) return goOn();
      this.#waiting.push(goOn);
      signal.addEventListener("abort", goOn);
    });
  }

  #look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    clearTimeout(this.#timer);
    const found = await this.#read().catch(() => this.controls); // a storage that is away asks for nothing
    this.#apply(found);
    this.#timer = setTimeout(() => {
      if (this.#users > 0) void this.#look();
      else this.#forget();
    }, this.#lookMs);
    if (this.#users === 0) this.#timer.unref();
  }

  #apply(found: Controls): void {
    this.controls = { ...found, ...this.#told };
    const { cancel } = this.controls;
    const isOver = this.controls.superseded || this.controls.left;
    if (cancel === "now" || isOver) this.#kill.abort();
    if (cancel !== "no" || isOver || this.controls.paused) this.#stop.abort();
    else if (this.#stop.signal.aborted) this.#stop = new AbortController(); // it was paused
    if (!this.#isPaused()) for (const goOn of this.#waiting.splice(0)) goOn();
  }

  #isPaused(): boolean {
    const { cancel, paused, superseded, left } = this.controls;
    return paused && cancel === "no" && !superseded && !left;
  }
}

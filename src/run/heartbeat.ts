import type { Storage } from "../storage/storage.ts";
import type { RunLayout } from "./layout.ts";
import { presenceOf } from "./owner.ts";
import type { RunState } from "./state.ts";

const BEAT_MS = 5_000;
/** A driver on another machine that has not been heard of for so long is taken for dead. */
export const SILENT_MS = 60_000;
/** Between two looks for the heartbeat of another machine's driver. */
const LOOK_MS = 2_000;

/** Shows other machines that this process drives a run: an object that it rewrites every few seconds. */
export class Heartbeat {
  readonly #storage: Storage;
  readonly #key: string;
  readonly #timer: NodeJS.Timeout;
  #beats = 0;
  /** The write that is under way; there is one at a time. */
  #beating: Promise<unknown> | undefined;

  constructor(storage: Storage, layout: RunLayout, epoch: number) {
    this.#storage = storage;
    this.#key = layout.controlOf(epoch, "driver");
    this.#timer = setInterval(() => this.#beat(), BEAT_MS).unref();
    this.#beat();
  }

  /** Resolves when nothing is written any more: whoever removes the run next must not find it growing. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
  }

  /** A storage that is away is no reason to stop working: what counts is checked at each commit. */
  #beat(): void {
    if (this.#beating) return;
    const text = JSON.stringify({ beat: this.#beats++, at: new Date().toISOString() });
    this.#beating = this.#storage
      .put(this.#key, text)
      .catch(() => undefined)
      .finally(() => {
        this.#beating = undefined;
      });
  }
}

/** `unknown`: on another machine, and not heard of yet. */
export type Life = "alive" | "gone" | "unknown";

/**
 * Tells whether whoever drives a run lives. On this machine the system knows; elsewhere the heartbeat must change while
 * this process watches, by this process's own clock: no two clocks are compared, and none may jump.
 */
export class LifeWatch {
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #silentMs: number;
  #epoch: number | undefined;
  #etag: string | undefined;
  #changedAt = 0;
  #lookedAt = 0;
  #heard = false;

  constructor(storage: Storage, layout: RunLayout, options: { silentMs?: number } = {}) {
    this.#storage = storage;
    this.#layout = layout;
    this.#silentMs = options.silentMs ?? SILENT_MS;
  }

  /** @param state of a run that somebody drives */
  async look(state: RunState): Promise<Life> {
    const presence = state.owner ? presenceOf(state.owner) : "gone";
    if (presence !== "elsewhere") return presence === "here" ? "alive" : "gone";
    const now = performance.now();
    if (state.epoch !== this.#epoch) {
      this.#epoch = state.epoch;
      this.#etag = (await this.#storage.head(this.#layout.controlOf(state.epoch, "driver")))?.etag;
      this.#changedAt = now;
      this.#lookedAt = now;
      this.#heard = false;
    } else if (now - this.#lookedAt >= LOOK_MS) {
      this.#lookedAt = now;
      const etag = (await this.#storage.head(this.#layout.controlOf(state.epoch, "driver")))?.etag;
      if (etag !== this.#etag) {
        this.#etag = etag;
        this.#changedAt = now;
        this.#heard = true;
      }
    }
    if (now - this.#changedAt >= this.#silentMs) return "gone";
    return this.#heard ? "alive" : "unknown";
  }
}

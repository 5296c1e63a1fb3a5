import { getText, type Storage } from "../storage/storage.ts";
import type { RunLayout } from "./layout.ts";
import { presenceOf } from "./owner.ts";
import { type RunState, readState } from "./state.ts";

const BEAT_MS = 5_000;
/** A driver on another machine that has not been heard of for so long is taken for dead. */
export const SILENT_MS = 60_000;
/** Between two looks for the heartbeat of another machine's driver. */
const LOOK_MS = 2_000;

/** What a driver tells of itself. */
interface Beat {
  beat: number;
  at: string;
  generation: number;
  /** Seconds for which it has driven the run by then, without pauses and without the time in which it was stopped. */
  driven: number;
}

/** Shows other machines that this process drives a run: an object that it rewrites every few seconds. */
export class Heartbeat {
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #key: string;
  readonly #generation: number;
  readonly #timer: NodeJS.Timeout;
  #beats = 0;
  #driven = 0;
  #countedAt = performance.now();
  /** The write that is under way; there is one at a time. */
  #beating: Promise<unknown> | undefined;

  constructor(storage: Storage, layout: RunLayout, { epoch, generation }: Pick<RunState, "epoch" | "generation">) {
    this.#storage = storage;
    this.#layout = layout;
    this.#key = layout.controlOf(epoch, "driver");
    this.#generation = generation;
    this.#timer = setInterval(() => this.#beat(), BEAT_MS).unref();
    this.#beat();
  }

  /** Resolves when nothing is written any more: whoever removes the run next must not find it growing. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    this.#beat(); // when it ended
    await this.#beating;
  }

  /** A storage that is away is no reason to stop working: what counts is checked at each commit. */
  #beat(): void {
    if (this.#beating) return;
    this.#beating = this.#tell()
      .catch(() => undefined)
      .finally(() => {
        this.#beating = undefined;
      });
  }

  async #tell(): Promise<void> {
    const now = performance.now();
    const passed = Math.min(now - this.#countedAt, 2 * BEAT_MS); // more, and the process was stopped, or the machine asleep
    this.#countedAt = now;
    const isPaused = (await readState(this.#storage, this.#layout))?.status === "paused";
    if (!isPaused) this.#driven += passed / 1000;
    const beat: Beat = {
      beat: this.#beats++,
      at: new Date().toISOString(),
      generation: this.#generation,
      driven: this.#driven,
    };
    await this.#storage.put(this.#key, JSON.stringify(beat));
  }
}

/**
 * Seconds for which a generation of a run was driven, by all of its drivers so far; undefined where that was not told, as
 * by drivers of earlier versions, or where a cluster drives the run on without the process that began it.
 * @param epoch of whoever drives it now
 */
export async function drivenSeconds(
  storage: Storage,
  layout: RunLayout,
  { epoch, generation }: Pick<RunState, "epoch" | "generation">,
): Promise<number | undefined> {
  let seconds = 0;
  let lastBeat: number | undefined;
  for await (const { key } of storage.list(layout.control)) {
    const beat = key.endsWith("-driver.json") ? await readBeat(storage, key) : undefined;
    if (beat?.generation !== generation) continue;
    seconds += beat.driven;
    if (key === layout.controlOf(epoch, "driver")) lastBeat = Date.parse(beat.at);
  }
  const since = lastBeat === undefined ? Number.NaN : Date.now() - lastBeat;
  return since <= 2 * BEAT_MS ? seconds + Math.max(0, since) / 1000 : undefined;
}

async function readBeat(storage: Storage, key: string): Promise<Beat | undefined> {
  try {
    const beat = JSON.parse((await getText(storage, key))?.text ?? "") as Beat;
    return Number.isFinite(beat.driven) ? beat : undefined;
  } catch {
    return undefined; // of an earlier version, or cut short: it is no record
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

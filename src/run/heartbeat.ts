import { getText, type Storage } from "../storage/storage.ts";
import type { RunLayout } from "./layout.ts";
import { presenceOf } from "./owner.ts";
import { type RunState, readState } from "./state.ts";

const BEAT_MS = 5_000;
/** A driver on another machine counts as dead after this long without a heartbeat. */
export const SILENCE_MS = 60_000;
/** Between two reads of the heartbeat of a driver on another machine. */
const POLL_MS = 2_000;

/** The content of a heartbeat. */
interface Beat {
  beat: number;
  at: string;
  generation: number;
  /** Seconds that it has driven the run so far, without pauses and without time in which the process was suspended. */
  driven: number;
}

/** Shows other machines that this process drives a run, by an object that it rewrites every few seconds. */
export class Heartbeat {
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #key: string;
  readonly #generation: number;
  readonly #timer: NodeJS.Timeout;
  #beats = 0;
  #driven = 0;
  #countedAt = performance.now();
  /** The write in progress; there is one at a time. */
  #writing: Promise<unknown> | undefined;

  constructor(storage: Storage, layout: RunLayout, { epoch, generation }: Pick<RunState, "epoch" | "generation">) {
    this.#storage = storage;
    this.#layout = layout;
    this.#key = layout.controlOf(epoch, "driver");
    this.#generation = generation;
    this.#timer = setInterval(() => this.#beat(), BEAT_MS).unref();
    this.#beat();
  }

  /** Resolves when no write is in progress, so that the run can be removed safely. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    this.#beat(); // the last one records when the driver ended
    await this.#writing;
  }

  /** Errors are ignored: an unreachable storage is no reason to stop working, as each commit checks the epoch. */
  #beat(): void {
    if (this.#writing) return;
    this.#writing = this.#write()
      .catch(() => undefined)
      .finally(() => {
        this.#writing = undefined;
      });
  }

  async #write(): Promise<void> {
    const now = performance.now();
    const passed = Math.min(now - this.#countedAt, 2 * BEAT_MS); // a longer gap means that the process was suspended or the machine asleep
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
 * Seconds that a generation of a run was driven, by all of its drivers so far. Undefined when unknown: drivers of
 * earlier versions do not record it, nor does a cluster after the process that started the run has gone.
 * @param epoch of the current driver
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
    return undefined; // written by an earlier version, or truncated
  }
}

/** `unknown`: on another machine, and no heartbeat seen yet. */
export type Liveness = "alive" | "gone" | "unknown";

/**
 * Whether the driver of a run is alive. On this machine the operating system knows. For another machine the heartbeat
 * must change while this process watches, measured by this process's own monotonic clock: clocks of two machines are
 * never compared.
 */
export class LivenessMonitor {
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #silenceMs: number;
  #epoch: number | undefined;
  #etag: string | undefined;
  #changedAt = 0;
  #polledAt = 0;
  #seenChange = false;

  constructor(storage: Storage, layout: RunLayout, options: { silenceMs?: number } = {}) {
    this.#storage = storage;
    this.#layout = layout;
    this.#silenceMs = options.silenceMs ?? SILENCE_MS;
  }

  /** @param state of a run that is being driven */
  async check(state: RunState): Promise<Liveness> {
    const presence = state.owner ? presenceOf(state.owner) : "gone";
    if (presence !== "elsewhere") return presence === "here" ? "alive" : "gone";
    const now = performance.now();
    if (state.epoch !== this.#epoch) {
      this.#epoch = state.epoch;
      this.#etag = (await this.#storage.head(this.#layout.controlOf(state.epoch, "driver")))?.etag;
      this.#changedAt = now;
      this.#polledAt = now;
      this.#seenChange = false;
    } else if (now - this.#polledAt >= POLL_MS) {
      this.#polledAt = now;
      const etag = (await this.#storage.head(this.#layout.controlOf(state.epoch, "driver")))?.etag;
      if (etag !== this.#etag) {
        this.#etag = etag;
        this.#changedAt = now;
        this.#seenChange = true;
      }
    }
    if (now - this.#changedAt >= this.#silenceMs) return "gone";
    return this.#seenChange ? "alive" : "unknown";
  }
}

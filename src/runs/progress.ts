import { parseEvent, type RunLayout } from "../run/layout.ts";
import { countedParts } from "../run/part-counts.ts";
import { isComplete, readReport } from "../run/report.ts";
import { type RunState, readState, type ShownStatus, shownStatus } from "../run/state.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import { readEvent } from "./run-logs.ts";

/** A spec that failed since the last look. */
export interface NewFailure {
  sortIndex: number;
  kind: string;
  message: string;
}

/** The progress of a run, from storage: any process may ask. */
export interface Progress {
  status: ShownStatus;
  /** Above 0 during and after a retry of failed specs. */
  generation: number;
  /** Specs of the run; while a generation is watched, those that it runs. */
  allocated: number;
  succeeded: number;
  failed: number;
  /** Specs per second over the last 15 s; 0 until known. */
  rate: number;
  /** Seconds until the end at this rate; undefined while it is 0. */
  eta: number | undefined;
  /** Seconds since watching started. */
  seconds: number;
  /** A few of the newest failures. */
  failures: NewFailure[];
}

const RATE_WINDOW_MS = 15_000;
const SHOWN_FAILURES = 3;

/** Counts a run's rows by listing its parts, and measures their rate between listings. */
export class ProgressReader {
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #allocated: number;
  /** Specs of the first generation. */
  readonly #begunWith: number;
  readonly #begun = Date.now();
  readonly #samples: { at: number; done: number }[] = [];
  #failures: NewFailure[] = [];
  #eventsSeen = "";
  /** The state as last read. */
  state: RunState | undefined;
  /** The last generation seen in progress: its specs are counted to the end. */
  #watched: number | undefined;

  /** @param inherited how many specs came with their rows from the base run */
  constructor(storage: Storage, layout: RunLayout, allocated: number, inherited = 0) {
    this.#storage = storage;
    this.#layout = layout;
    this.#allocated = allocated;
    this.#begunWith = allocated - inherited;
  }

  async read(): Promise<Progress> {
    this.state = await readState(this.#storage, this.#layout);
    const report = await readReport(this.#storage, this.#layout);
    const { state } = this;
    const complete = isComplete(state, report);
    const generation = state?.generation ?? 0;
    if (!complete) this.#watched = generation;
    const watched = this.#watched === generation ? report?.generations?.at(-1) : undefined;
    const allocated = complete ? (watched?.specs ?? this.#allocated) : (state?.retry?.count ?? this.#begunWith);
    const counts = report && complete ? (watched ?? report) : await this.#countParts(generation);
    if (!complete && counts.failed > 0) await this.#readEvents(generation);
    const rate = this.#rate(counts.succeeded + counts.failed);
    const left = allocated - counts.succeeded - counts.failed;
    return {
      status: complete ? "complete" : shownStatus(state),
      generation,
      allocated,
      succeeded: counts.succeeded,
      failed: counts.failed,
      rate,
      eta: rate > 0 ? left / rate : undefined,
      seconds: (Date.now() - this.#begun) / 1000,
      failures: this.#failures,
    };
  }

  async #countParts(generation: number): Promise<{ succeeded: number; failed: number }> {
    const parts = await countedParts(this.#storage, this.#layout, generation);
    return {
      succeeded: parts.reduce((sum, part) => sum + part.ok, 0),
      failed: parts.reduce((sum, part) => sum + part.failed, 0),
    };
  }

  async #readEvents(generation: number): Promise<void> {
    const all = await listAll(this.#storage, this.#layout.events);
    const events = all.filter(({ key }) => parseEvent(key)?.generation === generation);
    const newest = events.sort((a, b) => b.modified.getTime() - a.modified.getTime()).slice(0, SHOWN_FAILURES);
    const seen = newest.map(({ key, modified, size }) => `${key} ${modified.getTime()} ${size}`).join("\n");
    if (seen === this.#eventsSeen) return;
    this.#eventsSeen = seen;
    const read = await Promise.all(newest.map(({ key }) => readEvent(this.#storage, key)));
    this.#failures = read
      .flatMap((event) => event?.failures ?? [])
      .slice(0, SHOWN_FAILURES)
      .map(({ sort_index, kind, message }) => ({ sortIndex: sort_index, kind, message }));
  }

  #rate(done: number): number {
    const now = Date.now();
    this.#samples.push({ at: now, done });
    while (this.#samples.length > 2 && this.#samples[0]!.at < now - RATE_WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0]!;
    return now > first.at ? ((done - first.done) * 1000) / (now - first.at) : 0;
  }
}

import { type Controls, request } from "../../run/control.ts";
import type { ControlWatch } from "../../run/control-watch.ts";
import { allowedFailures, tooManyFailures } from "../../run/failure-limit.ts";
import type { RunLayout } from "../../run/layout.ts";
import { countedParts } from "../../run/part-counts.ts";
import { readState } from "../../run/state.ts";
import type { LeafTask, RunInfo } from "../../scatter/run-task.ts";
import type { Storage } from "../../storage/storage.ts";

/** Parts of other processes are counted at most this often. */
const COUNT_MS = 5_000;

/**
 * Stops runs with more failed specs than allowed. A run without failures costs nothing, one without a limit costs one
 * read of its state. Every process counts its own failures as they come, and those of others by their parts.
 */
export class FailureWatch {
  readonly #storage: Storage;
  readonly #watch: ControlWatch;
  readonly #tallies = new Map<string, Tally>();

  constructor(storage: Storage, watch: ControlWatch) {
    this.#storage = storage;
    this.#watch = watch;
  }

  /** Returns a callback for a chunk's failures as they come. */
  of(run: RunInfo, task: LeafTask): (failed: number) => void {
    const key = `${task.experiment_id} ${task.epoch}`;
    const chunk = `${run.layout.parts(task.path)}${task.from}`;
    this.#tallies.get(key)?.forget(chunk); // the chunk starts again
    return (failed) => {
      const tally =
        this.#tallies.get(key) ?? new Tally(this.#storage, run, task, (reason) => this.#end(run, task, reason));
      this.#tallies.set(key, tally);
      tally.add(chunk, failed);
    };
  }

  async #end({ layout }: RunInfo, { epoch }: LeafTask, reason: string): Promise<void> {
    const change: Partial<Controls> = { cancel: "drain" };
    await request(this.#storage, layout, epoch, "cancel", reason);
    this.#watch.set(layout, epoch, change);
  }
}

class Tally {
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #allocated: number;
  readonly #generation: number;
  readonly #stop: (reason: string) => Promise<void>;
  /** Undefined until the first failure. */
  #limit: string | null | undefined;
  /** Failures of this process's chunks that no listed part includes yet. */
  readonly #own = new Map<string, number>();
  #inParts = 0;
  #countedAt = Number.NEGATIVE_INFINITY;
  #checking = false;
  #over = false;

  constructor(storage: Storage, run: RunInfo, task: LeafTask, stop: (reason: string) => Promise<void>) {
    this.#storage = storage;
    this.#layout = run.layout;
    this.#allocated = run.details.spec_count;
    this.#generation = task.generation;
    this.#stop = stop;
  }

  add(chunk: string, failed: number): void {
    if (this.#over) return;
    this.#own.set(chunk, (this.#own.get(chunk) ?? 0) + failed);
    if (this.#checking) return;
    this.#checking = true;
    this.#check()
      .catch(() => undefined) // if storage is unreachable, the next failure tries again
      .finally(() => {
        this.#checking = false;
      });
  }

  forget(chunk: string): void {
    this.#own.delete(chunk);
  }

  async #check(): Promise<void> {
    this.#limit ??= (await readState(this.#storage, this.#layout))?.max_failures ?? null;
    const limit = this.#limit;
    if (limit === null) {
      this.#over = true;
      this.#own.clear();
      return;
    }
    const allowed = allowedFailures(limit, this.#allocated);
    const recent = performance.now() - this.#countedAt < COUNT_MS;
    if (recent && this.#failed() <= allowed) return;
    await this.#count();
    if (this.#failed() <= allowed) return;
    this.#over = true;
    await this.#stop(tooManyFailures(limit, this.#failed(), this.#allocated)).catch((error) => {
      this.#over = false;
      throw error;
    });
  }

  #failed(): number {
    return this.#inParts + [...this.#own.values()].reduce((sum, failed) => sum + failed, 0);
  }

  async #count(): Promise<void> {
    const parts = await countedParts(this.#storage, this.#layout, this.#generation);
    this.#inParts = parts.reduce((sum, { failed }) => sum + failed, 0);
    this.#countedAt = performance.now();
    for (const { folder, from } of parts) this.#own.delete(`${folder}${from}`);
  }
}

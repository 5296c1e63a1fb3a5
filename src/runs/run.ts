import { setTimeout as sleep } from "node:timers/promises";
import type { EngineRun } from "../engine/engine.ts";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { assertKnownKeys, type Keys } from "../known-keys.ts";
import { type OpenResultsOptions, openResults, type Results } from "../results/results.ts";
import { request } from "../run/control.ts";
import { type FailureLimit, failureLimitText } from "../run/failure-limit.ts";
import { LifeWatch } from "../run/heartbeat.ts";
import type { RunLayout } from "../run/layout.ts";
import { type Manifest, readManifest } from "../run/manifest.ts";
import { isDriven, readState } from "../run/state.ts";
import type { Storage } from "../storage/storage.ts";
import { cancelledError } from "./cancelled.ts";
import { type Drive, note, startDrive } from "./drive.ts";
import { engineRunOf, type OpenHome } from "./home.ts";
import { type Progress, ProgressReader } from "./progress.ts";
import { beginRetry, type RetryOptions } from "./retry.ts";
import { type LogOptions, LogReader, type RunLogs } from "./run-logs.ts";
import { type CancelOptions, cancelRun, type Obeyed, pauseRun, unpauseRun } from "./steer.ts";

export interface ResumeOptions {
  /** Take the run from whoever drives it, alive or not: from then on that process has no effect. */
  takeOver?: boolean;
  /** A new limit of failed specs, as for `allocate`. */
  maxFailures?: FailureLimit;
  /** Told when it takes a while to find out whether the driver, on another machine, lives. */
  onWait?: (driver: string) => void;
}

const RESUME_OPTIONS: Keys<ResumeOptions> = { takeOver: true, maxFailures: true, onWait: true };

/** Where a run was found, and whether this process drives it. */
interface RunContext {
  home?: OpenHome | undefined;
  drive?: Drive;
}

/** A run: to watch, to wait for, to steer, to read. The same object for one just started and for one found in storage. */
export class Run<E extends AnyExperiment = AnyExperiment> {
  readonly experimentId: string;
  readonly manifest: Manifest;
  readonly #storage: Storage;
  /** The key of each of its files in the storage. */
  readonly layout: RunLayout;
  readonly #experiment: E | undefined;
  readonly #home: OpenHome | undefined;
  #drive: Drive | undefined;

  constructor(
    storage: Storage,
    layout: RunLayout,
    manifest: Manifest,
    experiment: E | undefined,
    { home, drive }: RunContext,
  ) {
    this.#storage = storage;
    this.layout = layout;
    this.#experiment = experiment;
    this.#home = home;
    this.#drive = drive;
    this.manifest = manifest;
    this.experimentId = layout.experimentId;
  }

  /** Where the run lies: a `file:` or `s3:` URI. */
  get uri(): string {
    return this.#storage.uriOf(this.experimentId);
  }

  /**
   * Counts, rate and newest failures, every `intervalMs` until the run has ended; the last one says how. It ends as
   * `interrupted`, too, when whoever drove the run is no more.
   */
  async *progress(options: { intervalMs?: number } = {}): AsyncGenerator<Progress> {
    assertKnownKeys(options, { intervalMs: true }, "progress");
    const { spec_count = 0, carried_count } = this.manifest.scythe ?? {};
    const reader = new ProgressReader(this.#storage, this.layout, spec_count, carried_count);
    const life = new LifeWatch(this.#storage, this.layout);
    const ended = this.#ended();
    for (;;) {
      const over = await within(ended, 0);
      const progress = await reader.read();
      const { state } = reader;
      const goesOn = isDriven(progress.status) || progress.status === "allocated";
      const own = this.#drive !== undefined || state?.engine === "hatchet";
      const lost = goesOn && !own && state !== undefined && (await life.look(state)) === "gone";
      yield lost && isDriven(progress.status) ? { ...progress, status: "interrupted" } : progress;
      if (over || lost || !goesOn) return;
      await within(ended, options.intervalMs ?? 500);
    }
  }

  /**
   * Waits for the end, whoever drives the run, and opens the tables.
   * @throws what failed the run; ScytheError `cancelled`; `engine` when nobody drives it any more
   */
  async result(): Promise<Results<E>> {
    if (this.#drive) await this.#drive.result();
    else await this.#awaitOthers();
    return this.openResults();
  }

  /**
   * Opens the tables of a run that is complete, without waiting; with `partial`, of any run, as far as they stand.
   * @throws ScytheError `not_found` when it is not complete, and `partial` was not asked for
   */
  async openResults(options: OpenResultsOptions = {}): Promise<Results<E>> {
    assertKnownKeys(options, { partial: true }, "openResults");
    return openResults(this.#storage, this.layout, this.#experiment, options);
  }

  /** What the run's specs said by now: `ctx.log`, and what they printed. */
  async logs(options: LogOptions = {}): Promise<RunLogs> {
    assertKnownKeys(options, { spec: true, failed: true }, "logs");
    return new LogReader(this.#storage, this.layout).read(options);
  }

  /**
   * Stops the run, whoever drives it, after the specs in hand, or at once with `now`. What is done is kept. Resolves when
   * its driver has stopped; says `nobody` when it had none any more.
   * @throws ScytheError `conflict` when there is nothing to stop
   */
  async cancel(options: CancelOptions = {}): Promise<Obeyed> {
    assertKnownKeys(options, { now: true }, "cancel");
    const drive = this.#drive;
    if (!drive) return cancelRun(this.#storage, this.layout, this.#home, options);
    if (options.now) {
      drive.tell({ cancel: "now" });
      const home = await this.#home?.();
      if (home?.engine.slots === 0) await request(this.#storage, this.layout, drive.epoch, "cancel-now");
    }
    await drive.engineRun.cancel();
    await drive.result().catch(() => undefined); // noted by then
    return "driver";
  }

  /**
   * Lets the run begin no more specs until {@link resume}, whoever drives it; those in hand are finished.
   * @throws ScytheError `conflict` when nobody drives it
   */
  pause(): Promise<void> {
    return pauseRun(this.#storage, this.layout, this.#home);
  }

  /**
   * Lets a paused run go on where it is; drives any other on from here, from where storage says it stands. Says which.
   * @throws ScytheError `conflict` when somebody drives it, or it is complete
   */
  async resume(options: ResumeOptions = {}): Promise<"unpaused" | "driven"> {
    assertKnownKeys(options, RESUME_OPTIONS, "resume");
    const maxFailures = options.maxFailures === undefined ? undefined : failureLimitText(options.maxFailures);
    if (!options.takeOver && (await unpauseRun(this.#storage, this.layout, this.#home))) return "unpaused";
    if (!this.#home || !this.#experiment) throw this.#withoutExperiment();
    this.#drive = await startDrive(this.#storage, await this.#home(), this.#experiment, this.layout, {
      takeOver: options.takeOver ?? false,
      ...(options.onWait && { onWait: options.onWait }),
      ...(maxFailures !== undefined && { change: { max_failures: maxFailures } }),
    });
    return "driven";
  }

  /**
   * Runs the failed specs of a complete run again from here, as a new generation: its tables become whole, and stay as
   * they are until then. Says how many run; 0 when none failed, or none of that kind.
   * @throws ScytheError `conflict` when the run is not complete, or is retried by another process
   */
  async retry(options: RetryOptions = {}): Promise<number> {
    if (!this.#home || !this.#experiment) throw this.#withoutExperiment();
    const run = { layout: this.layout, manifest: this.manifest };
    const count = await beginRetry(this.#storage, run, this.#experiment, options);
    if (count > 0) this.#drive = await startDrive(this.#storage, await this.#home(), this.#experiment, this.layout, {});
    return count;
  }

  #withoutExperiment(): ScytheError {
    return new ScytheError("invalid_input", `Run ${this.experimentId} was found without its experiment`, {
      hint: `Open the project whose config has ${this.manifest.experiment_name}, and find the run there.`,
    });
  }

  async #ended(): Promise<boolean> {
    const result = this.#drive?.result() ?? (await this.#engineRun())?.result();
    if (!result) return new Promise(() => undefined);
    await result.catch(() => undefined);
    return true;
  }

  /** Of an engine that outlives the process that started the run. */
  async #engineRun(): Promise<EngineRun | undefined> {
    return engineRunOf(this.#home, await readState(this.#storage, this.layout));
  }

  async #awaitOthers(): Promise<void> {
    let status: Progress["status"] = "running";
    for await (const progress of this.progress({ intervalMs: 1_000 })) status = progress.status;
    if (status === "complete") return;
    const state = await readState(this.#storage, this.layout);
    if (status === "cancelled") throw cancelledError(this.layout, state?.reason ?? null);
    const engineRun = status === "interrupted" ? undefined : await this.#engineRun();
    await engineRun?.result().catch(async (error: unknown) => {
      await note(this.#storage, this.layout, state!.epoch, "failed").catch(() => undefined);
      throw error;
    });
    const hint = `What is done is kept: \`scythe resume ${this.experimentId}\`.`;
    if (status === "failed") {
      throw new ScytheError("engine", `Run ${this.experimentId} failed${state?.reason ? `: ${state.reason}` : ""}`, {
        hint,
      });
    }
    throw new ScytheError("engine", `Nobody drives run ${this.experimentId} any more`, { hint });
  }
}

/** Waits for the end, but not longer than `ms`; true when it has come. Leaves no timer behind. */
async function within(ended: Promise<boolean>, ms: number): Promise<boolean> {
  const stop = new AbortController();
  const timer = sleep(ms, false, { signal: stop.signal }).catch(() => false);
  return Promise.race([ended, timer]).finally(() => stop.abort());
}

/** A run that is in storage already. @param home opens the project's engine, to steer the run or to drive it on */
export async function openRun<E extends AnyExperiment>(
  storage: Storage,
  layout: RunLayout,
  experiment?: E,
  home?: OpenHome,
): Promise<Run<E>> {
  return new Run(storage, layout, await readManifest(storage, layout), experiment, { home });
}

import { setTimeout as sleep } from "node:timers/promises";
import type { EngineRun } from "../engine/engine.ts";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { assertKnownKeys, type Keys } from "../known-keys.ts";
import type { OpenResultsOptions, Results } from "../results/results.ts";
import { type FailureLimit, failureLimitText } from "../run/failure-limit.ts";
import type { RunLayout } from "../run/layout.ts";
import type { Manifest } from "../run/manifest.ts";
import type { RunState } from "../run/state.ts";
import type { Storage } from "../storage/storage.ts";
import type { RunDescription } from "./describe.ts";
import type { Drive } from "./drive.ts";
import type { OpenHome } from "./home.ts";
import type { RunOutcome } from "./outcome.ts";
import type { RunOverview } from "./overview.ts";
import type { Progress } from "./progress.ts";
import type { RetryOptions } from "./retry.ts";
import type { LogOptions, RunLogs } from "./run-logs.ts";
import type { CancelOptions, CancelOutcome } from "./steer.ts";

/** How a run is driven on. */
export interface ResumeOptions {
  /** Take the run over from its driver, alive or not; that process can no longer commit. */
  takeOver?: boolean;
  /** A new limit of failed specs, as for `allocate`. */
  maxFailures?: FailureLimit;
  /** Called when it takes a while to find out whether a driver on another machine is alive. */
  onWait?: (driver: string) => void;
}

const RESUME_OPTIONS: Keys<ResumeOptions> = { takeOver: true, maxFailures: true, onWait: true };

/** The project of a run, and the drive if this process drives it. */
interface RunContext {
  home?: OpenHome | undefined;
  drive?: Drive;
}

/**
 * A run: watch it, wait for it, steer it, read it. The same class for a run just started and for one found in storage.
 */
export class Run<E extends AnyExperiment = AnyExperiment> {
  readonly experimentId: string;
  readonly manifest: Manifest;
  readonly #storage: Storage;
  /** The keys of its files in the storage. */
  readonly layout: RunLayout;
  readonly #experiment: E | undefined;
  readonly #home: OpenHome | undefined;
  #drive: Drive | undefined;

  /** @internal */
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

  /** The URI of the run's folder: `file:` or `s3:`. */
  get uri(): string {
    return this.#storage.uriOf(this.experimentId);
  }

  /**
   * Counts, rate and newest failures, every `intervalMs` until the run has ended; the last item has the final status.
   * It is `interrupted` when the driver has died.
   */
  async *progress(options: { intervalMs?: number } = {}): AsyncGenerator<Progress> {
    assertKnownKeys(options, { intervalMs: true }, "progress");
    const { spec_count = 0, carried_count } = this.manifest.scythe ?? {};
    const { isDriven, LivenessMonitor, ProgressReader } = await watching();
    const reader = new ProgressReader(this.#storage, this.layout, spec_count, carried_count);
    const life = new LivenessMonitor(this.#storage, this.layout);
    const ended = this.#ended();
    for (;;) {
      const over = await within(ended, 0);
      const progress = await reader.read();
      const { state } = reader;
      const isActive = isDriven(progress.status) || progress.status === "allocated";
      const own = this.#drive !== undefined || state?.engine === "hatchet";
      const lost = isActive && !own && state !== undefined && (await life.check(state)) === "gone";
      yield lost && isDriven(progress.status) ? { ...progress, status: "interrupted" } : progress;
      if (over || lost || !isActive) return;
      await within(ended, options.intervalMs ?? 500);
    }
  }

  /**
   * Waits for the end, whichever process drives the run, and opens the tables.
   * @throws what made the run fail; ScytheError `cancelled`; `engine` when no process drives it any more
   */
  async result(): Promise<Results<E>> {
    if (this.#drive) await this.#drive.result();
    else await this.#awaitOthers();
    return this.openResults();
  }

  /**
   * Opens the tables of a complete run without waiting; with `partial`, of any run, as far as they exist.
   * @throws ScytheError `not_found` when it is not complete and `partial` was not given
   */
  async openResults(options: OpenResultsOptions = {}): Promise<Results<E>> {
    assertKnownKeys(options, { partial: true }, "openResults");
    const { openResults } = await import("../results/results.ts");
    return openResults(this.#storage, this.layout, this.#experiment, options);
  }

  /** Status and counts, as storage has them now. */
  async overview(): Promise<RunOverview> {
    const { readRunRecord } = await import("./overview.ts");
    return (await readRunRecord(this.#storage, this.layout)).overview;
  }

  /** All there is to say of the run without reading its rows: records, tables, kinds of failure, driver. */
  async describe(): Promise<RunDescription> {
    const { describeRun } = await import("./describe.ts");
    return describeRun(this.#storage, this.layout, this.manifest);
  }

  /** How the run came out, or how far it has come: counts, tables, first failures. */
  async outcome(): Promise<RunOutcome> {
    const { outcomeOf } = await import("./outcome.ts");
    return outcomeOf(this.#storage, this);
  }

  /** The logs of the run's specs so far: `ctx.log`, and printed text. */
  async logs(options: LogOptions = {}): Promise<RunLogs> {
    assertKnownKeys(options, { spec: true, failed: true }, "logs");
    const { LogReader } = await import("./run-logs.ts");
    return new LogReader(this.#storage, this.layout).read(options);
  }

  /** {@link logs} at every look until the run has ended, and once more then: all that was said by that time. */
  async *followLogs(options: LogOptions & { intervalMs?: number } = {}): AsyncGenerator<RunLogs> {
    assertKnownKeys(options, { spec: true, failed: true, intervalMs: true }, "followLogs");
    const { intervalMs = 1_000, ...which } = options;
    const { LogReader } = await import("./run-logs.ts");
    const reader = new LogReader(this.#storage, this.layout);
    for await (const _ of this.progress({ intervalMs })) yield reader.read(which);
    yield reader.read(which); // what was stored between the last look and the end
  }

  /**
   * Stops the run, whichever process drives it, after the running specs, or at once with `now`. Finished work is kept.
   * Resolves with `driver` when its driver has stopped, or `nobody` when it had none.
   * @throws ScytheError `conflict` when there is nothing to stop
   */
  async cancel(options: CancelOptions = {}): Promise<CancelOutcome> {
    assertKnownKeys(options, { now: true }, "cancel");
    const drive = this.#drive;
    const [{ cancelRun }, { request }] = await Promise.all([import("./steer.ts"), import("../run/control.ts")]);
    if (!drive) return cancelRun(this.#storage, this.layout, this.#home, options);
    if (options.now) {
      drive.setControls({ cancel: "now" });
      const home = await this.#home?.();
      if (home?.engine.slots === 0) await request(this.#storage, this.layout, drive.epoch, "cancel-now");
    }
    await drive.engineRun.cancel();
    await drive.result().catch(() => undefined); // recorded in the state by then
    return "driver";
  }

  /**
   * Starts no more specs until {@link resume}, whichever process drives the run; running specs finish.
   * @throws ScytheError `conflict` when no process drives it
   */
  async pause(): Promise<void> {
    const { pauseRun } = await import("./steer.ts");
    return pauseRun(this.#storage, this.layout, this.#home);
  }

  /**
   * Continues a paused run where it is, or drives any other from this process, from where it stands in storage. Returns
   * which of the two.
   * @throws ScytheError `conflict` when another process drives it, or it is complete
   */
  async resume(options: ResumeOptions = {}): Promise<"unpaused" | "driven"> {
    assertKnownKeys(options, RESUME_OPTIONS, "resume");
    const maxFailures = options.maxFailures === undefined ? undefined : failureLimitText(options.maxFailures);
    const [{ unpauseRun }, { startDrive }] = await Promise.all([import("./steer.ts"), import("./drive.ts")]);
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
   * Retries the failed specs of a complete run, from this process, as a new generation. Its tables are replaced when
   * that is complete. Returns how many specs run; 0 when none failed, or none of that kind.
   * @throws ScytheError `conflict` when the run is not complete, or another process retries it
   */
  async retry(options: RetryOptions = {}): Promise<number> {
    if (!this.#home || !this.#experiment) throw this.#withoutExperiment();
    const [{ beginRetry }, { startDrive }] = await Promise.all([import("./retry.ts"), import("./drive.ts")]);
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

  /** For an engine that outlives the process that started the run. */
  async #engineRun(): Promise<EngineRun | undefined> {
    const { engineRunOf } = await import("./home.ts");
    return engineRunOf(this.#home, await this.#state());
  }

  async #state(): Promise<RunState | undefined> {
    const { readState } = await import("../run/state.ts");
    return readState(this.#storage, this.layout);
  }

  async #awaitOthers(): Promise<void> {
    let status: Progress["status"] = "running";
    for await (const progress of this.progress({ intervalMs: 1_000 })) status = progress.status;
    if (status === "complete") return;
    const state = await this.#state();
    const [{ cancelledError }, { note }] = await Promise.all([import("./cancelled.ts"), import("./drive.ts")]);
    if (status === "cancelled") throw cancelledError(this.layout, state?.reason ?? null);
    const engineRun = status === "interrupted" ? undefined : await this.#engineRun();
    await engineRun?.result().catch(async (error: unknown) => {
      await note(this.#storage, this.layout, state!.epoch, "failed").catch(() => undefined);
      throw error;
    });
    const hint = `Finished work is kept: \`scythe resume ${this.experimentId}\`.`;
    if (status === "failed") {
      throw new ScytheError("engine", `Run ${this.experimentId} failed${state?.reason ? `: ${state.reason}` : ""}`, {
        hint,
      });
    }
    throw new ScytheError("engine", `No process drives run ${this.experimentId} any more`, { hint });
  }
}

/** What is loaded to watch a run: a project that only finds one loads nothing of it. */
async function watching() {
  const [{ LivenessMonitor }, { isDriven }, { ProgressReader }] = await Promise.all([
    import("../run/heartbeat.ts"),
    import("../run/state.ts"),
    import("./progress.ts"),
  ]);
  return { LivenessMonitor, isDriven, ProgressReader };
}

/** Waits for the end, but not longer than `ms`; true when it has come. Leaves no timer behind. */
async function within(ended: Promise<boolean>, ms: number): Promise<boolean> {
  const stop = new AbortController();
  const timer = sleep(ms, false, { signal: stop.signal }).catch(() => false);
  return Promise.race([ended, timer]).finally(() => stop.abort());
}

/**
 * Opens a run in storage.
 * @param home the project, needed to steer or resume it
 */
export async function openRun<E extends AnyExperiment>(
  storage: Storage,
  layout: RunLayout,
  experiment?: E,
  home?: OpenHome,
): Promise<Run<E>> {
  const { readManifest } = await import("../run/manifest.ts");
  return new Run(storage, layout, await readManifest(storage, layout), experiment, { home });
}

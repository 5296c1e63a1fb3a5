import { setTimeout as sleep } from "node:timers/promises";
import type { EngineRun } from "../engine/engine.ts";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { openResults, type Results } from "../results/results.ts";
import type { RunLayout } from "../run/layout.ts";
import { type Manifest, readManifest } from "../run/manifest.ts";
import { readReport } from "../run/report.ts";
import { updateState } from "../run/state.ts";
import type { Storage } from "../storage/storage.ts";
import { type Progress, ProgressReader } from "./progress.ts";

/** A run: to watch, to wait for, to stop, to read. The same object for one just started and for one found in storage. */
export class Run<E extends AnyExperiment = AnyExperiment> {
  readonly experimentId: string;
  readonly manifest: Manifest;
  readonly #storage: Storage;
  readonly #layout: RunLayout;
  readonly #experiment: E | undefined;
  readonly #engineRun: EngineRun | undefined;

  constructor(
    storage: Storage,
    layout: RunLayout,
    manifest: Manifest,
    experiment: E | undefined,
    engineRun: EngineRun | undefined,
  ) {
    this.#storage = storage;
    this.#layout = layout;
    this.#experiment = experiment;
    this.#engineRun = engineRun;
    this.manifest = manifest;
    this.experimentId = layout.experimentId;
  }

  /** Where the run lies: a `file:` or `s3:` URI. */
  get uri(): string {
    return this.#storage.uriOf(this.experimentId);
  }

  /**
   * Counts, rate and newest failures, every `intervalMs` until the run has ended; the last one says how.
   * A run that nobody drives any more is told of once.
   */
  async *progress(options: { intervalMs?: number } = {}): AsyncGenerator<Progress> {
    const reader = new ProgressReader(this.#storage, this.#layout, this.manifest.scythe?.spec_count ?? 0);
    const ended = this.#ended();
    for (;;) {
      const over = await within(ended, 0);
      const progress = await reader.read();
      yield progress;
      if (over || (progress.status !== "running" && progress.status !== "allocated")) return;
      await within(ended, options.intervalMs ?? 500);
    }
  }

  /**
   * Waits for the end and opens the tables.
   * @throws what failed the run; ScytheError `cancelled`
   */
  async result(): Promise<Results<E>> {
    if (this.#engineRun) await this.#engineRun.result();
    else await this.#waitForReport();
    return this.openResults();
  }

  /**
   * Opens the tables of a run that is complete, without waiting.
   * @throws ScytheError `not_found` when it is not
   */
  openResults(): Promise<Results<E>> {
    return openResults(this.#storage, this.#layout, this.#experiment);
  }

  /** Asks the run to stop after the specs in hand. What is done is kept. */
  async cancel(): Promise<void> {
    if (!this.#engineRun) {
      throw new ScytheError("engine", `Run ${this.experimentId} is not driven by this process`, {
        hint: "Stop it where it was started (Ctrl-C there).",
      });
    }
    await this.#engineRun.cancel();
  }

  async #ended(): Promise<boolean> {
    if (!this.#engineRun) return new Promise(() => undefined);
    await this.#engineRun.result().catch(() => undefined);
    return true;
  }

  async #waitForReport(): Promise<void> {
    for await (const { status } of this.progress({ intervalMs: 1_000 })) {
      if (status === "failed" || status === "cancelled") {
        throw new ScytheError(status === "failed" ? "engine" : "cancelled", `Run ${this.experimentId} ${status}`, {
          hint: "`scythe show` says how far it came.",
        });
      }
    }
    if (!(await readReport(this.#storage, this.#layout)) && this.manifest.scythe) {
      throw new ScytheError("engine", `Run ${this.experimentId} ended without a report`);
    }
  }
}

/** Waits for the end, but not longer than `ms`; true when it has come. Leaves no timer behind. */
async function within(ended: Promise<boolean>, ms: number): Promise<boolean> {
  const stop = new AbortController();
  const timer = sleep(ms, false, { signal: stop.signal }).catch(() => false);
  return Promise.race([ended, timer]).finally(() => stop.abort());
}

/** A run that is in storage already. */
export async function openRun<E extends AnyExperiment>(
  storage: Storage,
  layout: RunLayout,
  experiment?: E,
): Promise<Run<E>> {
  return new Run(storage, layout, await readManifest(storage, layout), experiment, undefined);
}

/** Notes in `state.yml` how an engine's run ended, unless somebody else drives it by then. */
export function noteEnd(storage: Storage, layout: RunLayout, epoch: number, engineRun: EngineRun): Promise<void> {
  const note = async (status: "failed" | "cancelled") => {
    await updateState(storage, layout, (state) =>
      state.epoch === epoch && state.status === "running" ? { status } : undefined,
    );
  };
  return engineRun.result().then(
    () => undefined,
    async () => note((await engineRun.status()) === "cancelled" ? "cancelled" : "failed").catch(() => undefined),
  );
}

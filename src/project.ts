import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { z } from "zod";
import { allocateRun } from "./allocate/allocate.ts";
import type { AllocatingProject } from "./allocate/allowed-references.ts";
import type { AllocateOptions } from "./allocate/options.ts";
import { RunSpecs } from "./allocate/run-specs.ts";
import type { SpecsInput } from "./allocate/spec-source.ts";
import { Audit, type AuditTools } from "./audit/audit.ts";
import { type Config, type LoadedConfig, loadConfig, type Overrides, readSettings, type Settings } from "./config.ts";
import type { HatchetWorker } from "./engine/hatchet/hatchet-worker.ts";
import { defaultSlots } from "./engine/in-process/local.ts";
import { Engines } from "./engines.ts";
import { ScytheError } from "./errors.ts";
import type { AnyExperiment, Experiment } from "./experiment/define.ts";
import { Registry } from "./experiment/registry.ts";
import { FileCache } from "./files/cache.ts";
import { type FetchUri, fileFetcher } from "./files/fetch.ts";
import { didYouMean } from "./known-keys.ts";
import { openStorage } from "./open-storage.ts";
import { parseExperimentId, RunLayout } from "./run/layout.ts";
import { isRunFileKey } from "./run/run-paths.ts";
import { Catalog } from "./runs/catalog.ts";
import { type ExtendOptions, extendRun } from "./runs/extend.ts";
import type { RetryOptions } from "./runs/retry.ts";
import { openRun, type ResumeOptions, type Run } from "./runs/run.ts";
import { type RunOnceOptions, runOnce } from "./runs/run-once.ts";
import { startRun } from "./runs/start.ts";
import type { SpecReader } from "./spec-file/source.ts";
import type { Storage } from "./storage/storage.ts";
import { largestRow } from "./table/memory-budget.ts";
import { makeScratchSync, removeAbandonedScratch } from "./temporary.ts";

type SpecOf<E> = E extends Experiment<infer I, infer _O, infer _T> ? z.input<I> : Record<string, unknown>;

/** A project: its experiments, its storage, its engine. Close it when done (or `await using`). */
export class Scythe extends Audit implements AsyncDisposable {
  readonly registry: Registry;
  readonly storage: Storage;
  readonly settings: Settings;
  readonly folder: string;
  readonly #engines: Engines;
  readonly #scratch: string;
  readonly #fetchUri: FetchUri;
  readonly #configPath: string | undefined;
  readonly #tidying: Promise<void>;
  readonly #removeScratch = () => rmSync(this.#scratch, { recursive: true, force: true });

  constructor(loaded: LoadedConfig | { config: Config; path: undefined; folder: string }, overrides: Overrides) {
    super();
    this.registry = new Registry(loaded.config.experiments);
    this.settings = readSettings(loaded, overrides);
    this.folder = loaded.folder;
    const { storage } = this.settings;
    this.storage = typeof storage === "string" ? openStorage(storage) : storage;
    this.#scratch = makeScratchSync("run");
    this.#tidying = removeAbandonedScratch();
    process.once("exit", this.#removeScratch); // a program that ends without closing leaves no litter
    this.#fetchUri = fileFetcher({
      storage: this.storage,
      openBucket: async (bucket) => openStorage(`s3://${bucket}`),
      isRunFile: isRunFileKey,
      cache: new FileCache(this.settings.cacheFolder, this.settings.cacheBytes),
      http: { allowHosts: this.settings.allowHosts },
    });
    this.#configPath = loaded.path;
    try {
      this.#engines = new Engines({
        ...{ registry: this.registry, settings: this.settings, storage: this.storage },
        ...{ scratch: this.#scratch, fetchUri: this.#fetchUri, configPath: loaded.path },
      });
    } catch (error) {
      this.#removeScratch();
      process.off("exit", this.#removeScratch);
      throw error;
    }
  }

  /**
   * Checks specs, stores them as a new run, and starts it.
   * @param specs an array, an (async) iterable, a .csv/.jsonl/.json/.parquet file, or one spec
   * @throws ScytheError `invalid_specs` naming row, field, value and rule; nothing is written then
   */
  async allocate<E extends AnyExperiment>(
    experiment: E | string,
    specs: SpecsInput<SpecOf<E>>,
    options: AllocateOptions = {},
  ): Promise<Run<E>> {
    const known = this.#experiment(experiment);
    this.#engines.drives.assertOpen();
    this.#assertOwnName(known, options.runName);
    this.#engines.prepare(known.name);
    const allocated = await allocateRun(this.storage, known, specs, options, this.#allocating());
    return startRun(this.storage, this.#engines, known, allocated);
  }

  /**
   * The specs of a run, for {@link allocate}: to run them again with other code.
   * @param reference as for {@link findRun}
   */
  async specsOf(reference: string): Promise<SpecReader> {
    return new RunSpecs(this.storage, await this.locate(reference));
  }

  /**
   * Finds a run and drives it on from where storage says it stands: what has a part is kept, the rest is run. A paused
   * run that somebody drives goes on there.
   * @param reference as for {@link findRun}
   * @throws ScytheError `conflict` when somebody drives it, or it is complete
   */
  async resume(reference: string, options: ResumeOptions = {}): Promise<Run> {
    const run = await this.findRun(reference);
    this.#experiment(run.manifest.experiment_name);
    await run.resume(options);
    return run;
  }

  /**
   * Runs the failed specs of a complete run again, as a new generation: its tables become whole, and stay as they are
   * until then.
   * @returns undefined when no spec failed, or none of that kind
   * @throws ScytheError `conflict` when the run is not complete, or is retried by another process
   */
  async retry(reference: string, options: RetryOptions = {}): Promise<Run | undefined> {
    const run = await this.findRun(reference);
    this.#experiment(run.manifest.experiment_name);
    return (await run.retry(options)) > 0 ? run : undefined;
  }

  /**
   * Makes a new run of a complete one's specs and rows and of further specs, of which only those are computed. Failed
   * specs are carried over as failed; {@link retry} runs them again.
   * @param specs as for {@link allocate}; their `sort_index` follows, so that nobody's random numbers change
   * @throws ScytheError `conflict` when the run is not complete or the experiment's schemas have changed
   */
  async extend(
    reference: string,
    specs: SpecsInput<Record<string, unknown>>,
    options: ExtendOptions = {},
  ): Promise<Run> {
    const { layout, manifest } = await this.findRun(reference);
    const experiment = this.#experiment(manifest.experiment_name);
    this.#engines.drives.assertOpen();
    this.#engines.prepare(experiment.name);
    const allocated = await extendRun(this.storage, layout, experiment, specs, options, this.#allocating());
    return startRun(this.storage, this.#engines, experiment, allocated);
  }

  /** Calls the experiment's function with one spec, in this process, with real files and no run. */
  runOnce<E extends AnyExperiment>(experiment: E | string, spec: SpecOf<E>, options: RunOnceOptions = {}) {
    return runOnce(this.#experiment(experiment), spec, { ...options, fetchUri: this.#fetchUri });
  }

  /** What storage holds of an experiment, or under a run name. */
  experiment<E extends AnyExperiment>(experiment: E | string): Catalog<E> {
    if (typeof experiment !== "string") return new Catalog(this.storage, experiment.name, experiment, this.#engines);
    return new Catalog(this.storage, experiment, this.registry.find(experiment) as E | undefined, this.#engines);
  }

  /** Experiment names and run names that have something in storage. */
  listNames(): Promise<string[]> {
    return this.storage.listFolders("");
  }

  /**
   * Finds a run by `<name>` (latest), `<name>@<version>`, `<name>@<version>/<timestamp>` or its `experiment_id`.
   * @throws ScytheError `not_found` with the nearest name
   */
  async findRun(reference: string): Promise<Run> {
    const layout = await this.locate(reference);
    return openRun(this.storage, layout, await this.#experimentOf(layout), this.#engines);
  }

  /**
   * Where the run that is named so lies; it may be damaged.
   * @throws ScytheError `not_found` with the nearest name
   */
  async locate(reference: string): Promise<RunLayout> {
    const id = parseExperimentId(reference.replace("@", "/"));
    if (id) return new RunLayout({ ...id, name: this.#catalog(id.name).name });
    const [name, version] = reference.replace(/^([^/@]+)\/(v\d[^/]*)\/?$/, "$1@$2").split("@") as [string, string?];
    return this.#catalog(name)
      .latestLayout(version)
      .catch(async (error) => {
        if (!(error instanceof ScytheError) || error.code !== "not_found") throw error;
        const names = [...new Set([...(await this.listNames()), ...this.registry.names])];
        if (names.includes(name)) throw error;
        throw new ScytheError("not_found", `${error.message}${didYouMean(name, names)}`, {
          hint: error.hint ?? "",
          cause: error,
        });
      });
  }

  /**
   * Takes work of a cluster's engine until stopped: what `scythe worker` does.
   * @throws ScytheError `engine` for engines that need no workers
   */
  serve(): Promise<HatchetWorker> {
    return this.#engines.serve();
  }

  /**
   * Ends the worker processes. A run that this process drives is left where it stands: what is done is kept, and anybody
   * may resume it. (One on a cluster goes on there.)
   */
  async close(): Promise<void> {
    await this.#engines.close();
    await this.#tidying;
    await rm(this.#scratch, { recursive: true, force: true });
    process.off("exit", this.#removeScratch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected auditTools(): AuditTools {
    const { engine, slots = defaultSlots(), executionTimeoutMs, maxOutputSize, workerName: worker } = this.settings;
    return {
      configPath: this.#configPath,
      fetchUri: this.#fetchUri,
      rerunner: (experiment) => ({
        ...{ runner: this.#engines.runner, slots: engine === "inline" ? 1 : slots, worker, fetchUri: this.#fetchUri },
        timeoutMs: experiment.executionTimeoutMs ?? executionTimeoutMs,
        memoryLimit: experiment.memoryLimit ?? this.settings.memoryLimit ?? null,
        maxOutputSize: experiment.maxOutputSize ?? maxOutputSize,
        maxRowSize: largestRow(this.settings.worker.mergeMemoryMb),
      }),
      elsewhere: async (storage, reference) => {
        await using other = await openProject({ experiments: [] }, { storage });
        return { storage: other.storage, layout: await other.locate(reference) };
      },
    };
  }

  #allocating(): AllocatingProject {
    const { allowPaths, allowBuckets } = this.settings;
    return { folder: this.folder, fetchUri: this.#fetchUri, allowPaths, allowBuckets };
  }

  #experiment<E extends AnyExperiment>(experiment: E | string): E {
    const name = typeof experiment === "string" ? experiment : experiment.name;
    return this.registry.get(name) as E;
  }

  /** Under another experiment's name a run would pass for one of its. */
  #assertOwnName(experiment: AnyExperiment, runName: string | undefined): void {
    const other = this.registry.names.find((name) => name.toLowerCase() === runName?.toLowerCase());
    if (other === undefined || other === experiment.name) return;
    const what = `A run of ${experiment.name} cannot be named ${runName}: ${other} is another experiment`;
    throw new ScytheError("invalid_input", what, { hint: "Give it a name that no experiment of the project has." });
  }

  #catalog(name: string): Catalog {
    return this.experiment(name);
  }

  /** A run under another name says itself whose it is. */
  async #experimentOf(layout: RunLayout): Promise<AnyExperiment | undefined> {
    const run = await openRun(this.storage, layout);
    return this.registry.find(run.manifest.experiment_name);
  }
}

/**
 * Opens the project whose `scythe.config.ts` is at or above a folder.
 * @param where a folder, a config file, or (for the `inline` engine alone) the config as an object
 */
export async function openProject(
  where: string | URL | Config = process.cwd(),
  overrides: Overrides = {},
): Promise<Scythe> {
  if (typeof where === "object" && !(where instanceof URL)) {
    return new Scythe({ config: where, path: undefined, folder: process.cwd() }, { engine: "inline", ...overrides });
  }
  return new Scythe(await loadConfig(where), overrides);
}

import type { z } from "zod";
import type { AllocatingProject } from "./allocate/allowed-references.ts";
import type { DesignPlace, DesignRequest, DesignSpecs } from "./allocate/design-specs.ts";
import type { AllocateOptions } from "./allocate/options.ts";
import type { SpecsInput } from "./allocate/spec-source.ts";
import { Audit } from "./audit/audit.ts";
import type { Reproduction } from "./audit/repro/reproduce.ts";
import type { Rerunner } from "./audit/verify/rerun.ts";
import type { Config, LoadedConfig, Settings } from "./config.ts";
import type { HatchetWorker } from "./engine/hatchet/shown.ts";
import { defaultSlots } from "./engine/in-process/local.ts";
import type { Engines } from "./engines.ts";
import { ScytheError } from "./errors.ts";
import type { AnyExperiment, Experiment } from "./experiment/define.ts";
import { Registry } from "./experiment/registry.ts";
import type { FetchUri } from "./files/fetch.ts";
import { assertKnownKeys } from "./known-keys.ts";
import { openStorage } from "./open-storage.ts";
import type { RunLayout } from "./run/layout.ts";
import { Catalog } from "./runs/catalog.ts";
import { Drives } from "./runs/drives.ts";
import type { ExtendOptions } from "./runs/extend.ts";
import type { ListedExperiment, ListedRun } from "./runs/listing.ts";
import { assertKnownName, locateRun, namesIn } from "./runs/locate.ts";
import type { RetryOptions } from "./runs/retry.ts";
import { openRun, type ResumeOptions, type Run } from "./runs/run.ts";
import type { RunOnceOptions, RunOnceResult } from "./runs/run-once.ts";
import type { Study, StudyMove } from "./runs/study-file.ts";
import type { SpecReader } from "./spec-file/source.ts";
import type { Storage } from "./storage/storage.ts";
import { removeAbandonedScratch } from "./temporary.ts";
import { Transfers } from "./transfer/transfers.ts";

/** One spec of an experiment, as it is given: what its input schema takes. */
export type SpecOf<E> = E extends Experiment<infer I, infer _O, infer _T> ? z.input<I> : Record<string, unknown>;

/**
 * A project: its experiments, its storage, its engine. Close it when done (or `await using`). What runs experiments is
 * loaded when it is first needed: a project that only reads is quick to open.
 */
export class Scythe implements AsyncDisposable {
  /** The experiments that the config names. */
  readonly registry: Registry;
  readonly storage: Storage;
  readonly settings: Settings;
  /** The config file's folder; relative paths of specs are relative to it. */
  readonly folder: string;
  /** Checks on runs: verify, repro, lineage, diff. */
  readonly audit: Audit;
  /** Runs between storages: download, copy, sizes, garbage collection. */
  readonly transfer: Transfers;
  readonly #configPath: string | undefined;
  readonly #drives = new Drives();
  readonly #tidying = removeAbandonedScratch(); // also where no engine is needed: a full disk may wait for it
  #engines: Promise<Engines> | undefined;
  #fetcher: Promise<FetchUri> | undefined;

  /** @internal */
  constructor(
    loaded: LoadedConfig | { config: Config; path: undefined; folder: string },
    settings: Settings,
    storage: Storage,
  ) {
    this.registry = new Registry(loaded.config.experiments);
    this.settings = settings;
    this.folder = loaded.folder;
    this.storage = storage;
    this.#configPath = loaded.path;
    const locate = (reference: string) => this.#locate(reference);
    this.audit = new Audit({
      storage,
      registry: this.registry,
      folder: this.folder,
      configPath: loaded.path,
      locate,
      fetchUri: this.#fetchUri,
      rerunner: (experiment) => this.#rerunner(experiment),
      assertOpen: () => this.#drives.assertOpen(),
      elsewhere: async (where, reference) => {
        const other = typeof where === "string" ? await openStorage(where) : where;
        return { storage: other, layout: await locateRun(other, reference, []) };
      },
    });
    this.transfer = new Transfers({ storage, locate, openStorage, listRuns: (name) => this.#runsOf(name) });
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
    this.#drives.assertOpen();
    this.#assertOwnName(known, options.runName);
    const { allocateRun, engines, startRun } = await this.#starting();
    engines.prepare(known.name);
    const allocated = await allocateRun(this.storage, known, specs, options, this.#allocating());
    return startRun(this.storage, engines, known, allocated);
  }

  /**
   * The specs of a run, for {@link allocate}: to run them again with other code.
   * @param reference as for {@link findRun}
   */
  async specsOf(reference: string): Promise<SpecReader> {
    const { RunSpecs } = await import("./allocate/run-specs.ts");
    return new RunSpecs(this.storage, await this.#locate(reference));
  }

  /**
   * Finds a run and continues it: finished chunks are kept, the rest is run. A paused run with a driver continues there.
   * @param reference as for {@link findRun}
   * @throws ScytheError `conflict` when another process drives it, or it is complete
   */
  async resume(reference: string, options: ResumeOptions = {}): Promise<Run> {
    const run = await this.findRun(reference);
    this.#experiment(run.manifest.experiment_name);
    await run.resume(options);
    return run;
  }

  /**
   * Runs the failed specs of a complete run again, as a new generation. Its tables do not change until all of it is
   * done.
   * @returns undefined when no spec failed, or none of that kind
   * @throws ScytheError `conflict` when the run is not complete, or is retried by another process
   */
  async retry(reference: string, options: RetryOptions = {}): Promise<Run | undefined> {
    const run = await this.findRun(reference);
    this.#experiment(run.manifest.experiment_name);
    return (await run.retry(options)) > 0 ? run : undefined;
  }

  /**
   * Specs from the experiment's own schema, for {@link allocate}: a design of `n` points, and how the fields are spread.
   * @param request default: a Sobol' design, which {@link nextSpecs} continues; `n` is needed but for `grid` and `oat`
   * @param place what relative paths in a list of files are relative to (default: the current directory)
   * @throws ScytheError `invalid_input` naming the field without bounds, the unknown field, distribution or option
   */
  async design(
    experiment: AnyExperiment | string,
    request: DesignRequest,
    place: Partial<DesignPlace> = {},
  ): Promise<DesignSpecs> {
    const { designSpecs } = await import("./allocate/design-specs.ts");
    return designSpecs(this.#experiment(experiment), request, {
      folder: process.cwd(),
      trusted: true,
      root: this.folder,
      ...place,
    });
  }

  /**
   * The next `n` points of the design that a run was made from, for {@link extend}: together they are one longer design.
   * @throws ScytheError `invalid_input` when it was made from none, or from one that cannot be continued
   */
  async nextSpecs(reference: string, n: number): Promise<DesignSpecs> {
    const { manifest } = await this.findRun(reference);
    const { nextDesignSpecs } = await import("./allocate/design-specs.ts");
    const place = { folder: this.folder, trusted: false }; // whoever can write to the storage can name files there
    return nextDesignSpecs(this.#experiment(manifest.experiment_name), manifest, n, place);
  }

  /**
   * The text of a study file that asks for a design, with distributions by their text.
   * @param move where the file will lie, so that relative paths in lists of files name the same files from there
   */
  async studyText(experiment: string, request: DesignRequest, move?: StudyMove): Promise<string> {
    const { studyText } = await import("./runs/study-file.ts");
    return studyText(experiment, request, move);
  }

  /** Reads a study file. @throws ScytheError `invalid_input` naming line, column and the nearest key */
  async readStudy(path: string): Promise<Study> {
    const { readStudyFile } = await import("./runs/study-file.ts");
    return readStudyFile(path);
  }

  /**
   * Makes a new run of a complete one's specs and rows and of further specs, of which only those are computed. Failed
   * specs are carried over as failed; {@link retry} runs them again.
   * @param specs as for {@link allocate}; their `sort_index` follows, so that random numbers do not change
   * @throws ScytheError `conflict` when the run is not complete or the experiment's schemas have changed
   */
  async extend(
    reference: string,
    specs: SpecsInput<Record<string, unknown>>,
    options: ExtendOptions = {},
  ): Promise<Run> {
    const { layout, manifest } = await this.findRun(reference);
    const experiment = this.#experiment(manifest.experiment_name);
    this.#drives.assertOpen();
    const { engines, extendRun, startRun } = await this.#starting();
    engines.prepare(experiment.name);
    const allocated = await extendRun(this.storage, layout, experiment, specs, options, this.#allocating());
    return startRun(this.storage, engines, experiment, allocated);
  }

  /** Calls the experiment's function with one spec, in this process, with real files and no run. */
  async runOnce<E extends AnyExperiment>(
    experiment: E | string,
    spec: SpecOf<E>,
    options: RunOnceOptions = {},
  ): Promise<RunOnceResult> {
    const { runOnce } = await import("./runs/run-once.ts");
    return runOnce(this.#experiment(experiment), spec, { ...options, fetchUri: this.#fetchUri });
  }

  /** @internal As the scripts of `repro` folders made by earlier versions call it. */
  reproduce(folder: string): Promise<Reproduction> {
    return this.audit.reproduce(folder);
  }

  /** What storage holds of an experiment, or under a run name. */
  experiment<E extends AnyExperiment>(experiment: E | string): Catalog<E> {
    const named = typeof experiment === "string";
    const known = named ? (this.registry.find(experiment) as E | undefined) : experiment;
    return new Catalog(this.storage, named ? experiment : experiment.name, known, this.#openEngines);
  }

  /** Experiment names and run names that have something in storage. */
  listNames(): Promise<string[]> {
    return namesIn(this.storage);
  }

  /** The experiments of the config and all that storage has runs of, by name, each with its latest run. */
  async listExperiments(): Promise<ListedExperiment[]> {
    const names = [...new Set([...this.registry.names, ...(await this.listNames())])].sort();
    const { listedExperiments } = await import("./runs/listing.ts");
    const catalogs = names.map((name) => {
      const known = this.registry.find(name);
      return { catalog: this.experiment(name), defined: known !== undefined, description: known?.description ?? "" };
    });
    return listedExperiments(this.storage, catalogs);
  }

  /**
   * The runs of an experiment or under a run name, newest first.
   * @param options.limit only the newest of them; 0 or left out = all
   * @throws ScytheError `not_found` for a name that neither the config nor storage has
   */
  async listRuns(name: string, options: { limit?: number } = {}): Promise<{ total: number; runs: ListedRun[] }> {
    assertKnownKeys(options, { limit: true }, "listRuns");
    const ids = (await this.#runsOf(name)).reverse();
    const { listedRuns } = await import("./runs/listing.ts");
    return {
      total: ids.length,
      runs: await listedRuns(this.storage, options.limit ? ids.slice(0, options.limit) : ids),
    };
  }

  /** Specs that run at the same time on this machine. */
  get slots(): number {
    return this.settings.slots ?? defaultSlots();
  }

  /**
   * Finds a run by `<name>` (latest), `<name>@<version>`, `<name>@<version>/<timestamp>` or its `experiment_id`.
   * @throws ScytheError `not_found` with the nearest name
   */
  async findRun(reference: string): Promise<Run> {
    const layout = await this.#locate(reference);
    return openRun(this.storage, layout, await this.#experimentOf(layout), this.#openEngines);
  }

  /**
   * Takes work of a cluster's engine until stopped: what `scythe worker` does.
   * @throws ScytheError `engine` for engines that need no workers
   */
  async serve(): Promise<HatchetWorker> {
    return (await this.#openEngines()).serve();
  }

  /**
   * Ends the worker processes. A run that this process drives is stopped: finished work is kept, and it can be resumed
   * anywhere. (A run on a cluster continues there.)
   */
  async close(): Promise<void> {
    await this.#drives.close();
    await (await this.#engines?.catch(() => undefined))?.close();
    await this.#tidying;
  }

  /** {@link close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What is loaded to start a run. */
  async #starting() {
    const [engines, { allocateRun }, { extendRun }, { startRun }] = await Promise.all([
      this.#openEngines(),
      import("./allocate/allocate.ts"),
      import("./runs/extend.ts"),
      import("./runs/start.ts"),
    ]);
    return { engines, allocateRun, extendRun, startRun };
  }

  readonly #openEngines = (): Promise<Engines> => {
    this.#engines ??= import("./engines.ts").then(({ openEngines }) =>
      openEngines({
        registry: this.registry,
        settings: this.settings,
        storage: this.storage,
        fetchUri: this.#fetchUri,
        configPath: this.#configPath,
        drives: this.#drives,
      }),
    );
    return this.#engines;
  };

  readonly #fetchUri: FetchUri = async (uri, again) => {
    this.#fetcher ??= makeFetcher(this.storage, this.settings);
    return (await this.#fetcher)(uri, again);
  };

  async #rerunner(experiment: AnyExperiment): Promise<Rerunner> {
    const { engine, executionTimeoutMs, maxOutputSize, memoryLimit } = this.settings;
    const [{ runner }, { largestRow }] = await Promise.all([this.#openEngines(), import("./table/memory-budget.ts")]);
    return {
      runner,
      slots: engine === "inline" ? 1 : this.slots,
      worker: this.settings.workerName,
      fetchUri: this.#fetchUri,
      timeoutMs: experiment.executionTimeoutMs ?? executionTimeoutMs,
      memoryLimit: experiment.memoryLimit ?? memoryLimit ?? null,
      maxOutputSize: experiment.maxOutputSize ?? maxOutputSize,
      maxRowSize: largestRow(this.settings.worker.mergeMemoryMb),
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

  /** Under another experiment's name, a run would look like one of that experiment's. */
  #assertOwnName(experiment: AnyExperiment, runName: string | undefined): void {
    const other = this.registry.names.find((name) => name.toLowerCase() === runName?.toLowerCase());
    if (other === undefined || other === experiment.name) return;
    const what = `A run of ${experiment.name} cannot be named ${runName}: ${other} is another experiment`;
    throw new ScytheError("invalid_input", what, { hint: "Give it a name that no experiment of the project has." });
  }

  #locate(reference: string): Promise<RunLayout> {
    return locateRun(this.storage, reference, this.registry.names);
  }

  /** @throws ScytheError `not_found` for a name that neither the config nor storage has */
  async #runsOf(name: string | undefined): Promise<string[]> {
    const names = name === undefined ? await this.listNames() : [name];
    const runs = await Promise.all(names.map((own) => this.experiment(own).listRuns()));
    if (name !== undefined && runs[0]!.length === 0) await assertKnownName(this.storage, name, this.registry.names);
    return runs.flat();
  }

  /** The experiment of a run under another name is read from its manifest. */
  async #experimentOf(layout: RunLayout): Promise<AnyExperiment | undefined> {
    const run = await openRun(this.storage, layout);
    return this.registry.find(run.manifest.experiment_name);
  }
}

async function makeFetcher(storage: Storage, settings: Settings): Promise<FetchUri> {
  const [{ fileFetcher }, { FileCache }, { isRunFileKey }] = await Promise.all([
    import("./files/fetch.ts"),
    import("./files/cache.ts"),
    import("./run/run-paths.ts"),
  ]);
  return fileFetcher({
    storage,
    openBucket: (bucket) => openStorage(`s3://${bucket}`),
    isRunFile: isRunFileKey,
    cache: new FileCache(settings.cacheFolder, settings.cacheBytes),
    http: { allowHosts: settings.allowHosts },
  });
}

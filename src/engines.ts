import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Settings } from "./config.ts";
import type { Engine, Programs } from "./engine/engine.ts";
import { type HatchetEngine, hatchetEngine } from "./engine/hatchet/hatchet.ts";
import type { HatchetWorker } from "./engine/hatchet/worker.ts";
import { inlineEngine } from "./engine/in-process/inline.ts";
import { defaultSlots, localEngine } from "./engine/in-process/local.ts";
import type { Registry } from "./experiment/registry.ts";
import type { FetchUri } from "./files/fetch.ts";
import { hasHatchetToken, hatchetOptions } from "./hatchet-options.ts";
import { CLUSTER_LOOK_MS, ControlWatch } from "./run/control-watch.ts";
import type { Drives } from "./runs/drives.ts";
import type { RunHome } from "./runs/home.ts";
import { programsOf } from "./runs/program.ts";
import { RunCache } from "./scatter/run-task.ts";
import type { Storage } from "./storage/storage.ts";
import { withDuckDb } from "./table/duckdb.ts";
import { MemoryBudget } from "./table/memory-budget.ts";
import { makeScratch, removeAbandonedScratch } from "./temporary.ts";
import { childEnv } from "./worker/supervisor/child-env.ts";
import { FailureLimits } from "./worker/supervisor/failure-limits.ts";
import { inProcessRunner } from "./worker/supervisor/in-process-runner.ts";
import { BufferPool } from "./worker/supervisor/part-buffers.ts";
import { processRunner } from "./worker/supervisor/process-runner.ts";
import type { ChunkRunner } from "./worker/supervisor/runner.ts";
import { Trials } from "./worker/supervisor/spec-notes.ts";

/** The project that an engine runs experiments of. */
export interface EngineProject {
  registry: Registry;
  settings: Settings;
  storage: Storage;
  fetchUri: FetchUri;
  /** The file that worker processes load the project from. */
  configPath: string | undefined;
  drives: Drives;
}

/** Makes ready what runs experiments; nothing is started yet. */
export async function openEngines(project: EngineProject): Promise<Engines> {
  const tidying = removeAbandonedScratch();
  const scratch = await makeScratch("run");
  const removeScratch = () => rmSync(scratch, { recursive: true, force: true });
  process.once("exit", removeScratch); // a program that ends without closing leaves no litter
  const remove = async () => {
    await tidying;
    await rm(scratch, { recursive: true, force: true });
    process.off("exit", removeScratch);
  };
  try {
    return new Engines({ ...project, scratch, removeScratch: remove });
  } catch (error) {
    await remove();
    throw error;
  }
}

interface Project extends EngineProject {
  scratch: string;
  removeScratch: () => Promise<void>;
}

/** What a project runs its experiments on: the engine that its settings name, and a cluster to ask after runs there. */
export class Engines implements RunHome {
  readonly runner: ChunkRunner;
  readonly engine: Engine;
  readonly controls: ControlWatch;
  readonly drives: Drives;
  readonly #project: Project;
  readonly #programs: Programs;
  /** The project's own engine, where it is a cluster. */
  readonly #ownCluster: HatchetEngine | undefined;
  #otherCluster: HatchetEngine | undefined;

  constructor(project: Project) {
    const { settings, registry, storage, configPath } = project;
    this.#project = project;
    this.drives = project.drives;
    const environment = () => childEnv(settings.passEnv, process.env);
    this.runner = settings.engine === "inline" ? inProcessRunner(registry) : processRunner(configPath!, environment);
    this.controls = new ControlWatch(storage, settings.engine === "hatchet" ? CLUSTER_LOOK_MS : undefined);
    this.#programs = this.#makePrograms();
    this.#ownCluster = settings.engine === "hatchet" ? this.#openCluster() : undefined;
    this.engine = this.#ownCluster ?? this.#openInProcess();
  }

  /** Makes ready, while specs are allocated, what will run them. */
  prepare(experiment: string): void {
    this.runner.warm(this.engine.slots).catch(() => undefined); // the first chunk throws it
    this.#ownCluster?.prepare(experiment);
  }

  /** A run may be on a cluster although this project's engine is another: to be asked after, where there is a token. */
  engineNamed(name: string): Engine | undefined {
    if (name === this.engine.name) return this.engine;
    if (name !== "hatchet" || !hasHatchetToken()) return undefined;
    this.#otherCluster ??= this.#openCluster();
    return this.#otherCluster;
  }

  /** @throws ScytheError `engine` for engines that need no workers */
  async serve(): Promise<HatchetWorker> {
    if (!this.#ownCluster) return (await this.engine.serve()) as never;
    await this.#warm(); // work that comes must not wait for what could be there
    return this.#ownCluster.serve();
  }

  /** What this process drives is left, to be resumed; what a cluster does goes on there. */
  async close(): Promise<void> {
    await this.drives.close();
    await this.#ownCluster?.close();
    await this.#otherCluster?.close();
    await this.runner.close();
    await this.#project.removeScratch();
  }

  async #warm(): Promise<void> {
    const { worker, slots = defaultSlots() } = this.#project.settings;
    const children = worker.doesLeaf ? this.runner.warm(slots) : undefined;
    await Promise.all([children, worker.doesFan ? withDuckDb({}, 0, (duck) => duck.rows("SELECT 1")) : undefined]);
  }

  #makePrograms(): Programs {
    const { settings, registry, storage, scratch, fetchUri } = this.#project;
    const shared = {
      storage,
      scratch,
      fetchUri,
      runner: this.runner,
      controls: this.controls,
      runs: new RunCache(storage),
      memory: new MemoryBudget(settings.worker.mergeMemoryMb),
      buffers: new BufferPool(),
      trials: new Trials(),
      limits: new FailureLimits(storage, this.controls),
      worker: settings.workerName,
      executionTimeoutMs: settings.executionTimeoutMs,
      memoryLimit: settings.memoryLimit,
      maxOutputSize: settings.maxOutputSize,
    };
    return programsOf(registry.all().map((experiment) => ({ ...shared, experiment })));
  }

  #openInProcess(): Engine {
    const { engine, slots } = this.#project.settings;
    if (engine === "inline") return inlineEngine(this.#programs);
    return localEngine(this.#programs, slots === undefined ? {} : { slots });
  }

  #openCluster(): HatchetEngine {
    const { settings, registry, storage } = this.#project;
    return hatchetEngine(this.#programs, hatchetOptions(registry, settings, storage));
  }
}

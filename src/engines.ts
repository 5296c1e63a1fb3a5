import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Settings } from "./config.ts";
import type { Engine, Programs } from "./engine/engine.ts";
import { type HatchetEngine, hatchetEngine } from "./engine/hatchet/hatchet.ts";
import type { HatchetWorker } from "./engine/hatchet/shown.ts";
import { inlineEngine } from "./engine/in-process/inline.ts";
import { defaultSlots, localEngine } from "./engine/in-process/local.ts";
import type { Registry } from "./experiment/registry.ts";
import type { FetchUri } from "./files/fetch.ts";
import { hasHatchetToken, hatchetOptions } from "./hatchet-options.ts";
import { CLUSTER_POLL_MS, ControlWatch } from "./run/control-watch.ts";
import type { Drives } from "./runs/drives.ts";
import type { RunHome } from "./runs/home.ts";
import { programsOf } from "./runs/program.ts";
import { RunCache } from "./scatter/run-task.ts";
import type { Storage } from "./storage/storage.ts";
import { withDuckDb } from "./table/duckdb.ts";
import { MemoryBudget } from "./table/memory-budget.ts";
import { makeScratch } from "./temporary.ts";
import { childEnv } from "./worker/supervisor/child-env.ts";
import { FailureWatch } from "./worker/supervisor/failure-watch.ts";
import { inProcessRunner } from "./worker/supervisor/in-process-runner.ts";
import { BufferPool } from "./worker/supervisor/part-buffers.ts";
import { processRunner } from "./worker/supervisor/process-runner.ts";
import type { ChunkRunner } from "./worker/supervisor/runner.ts";
import { SuspectLock } from "./worker/supervisor/spec-notes.ts";

/** The project whose experiments an engine runs. */
export interface EngineProject {
  registry: Registry;
  settings: Settings;
  storage: Storage;
  fetchUri: FetchUri;
  /** The file that worker processes load the project from. */
  configPath: string | undefined;
  drives: Drives;
}

/** Creates the engines without starting anything. */
export async function openEngines(project: EngineProject): Promise<Engines> {
  const scratch = await makeScratch("run");
  const removeScratch = () => rmSync(scratch, { recursive: true, force: true });
  process.once("exit", removeScratch); // a program that exits without closing leaves no temporary files
  const remove = async () => {
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

/** The engine of a project's settings, and a cluster for runs that were started there. */
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
    this.controls = new ControlWatch(storage, settings.engine === "hatchet" ? CLUSTER_POLL_MS : undefined);
    this.#programs = this.#makePrograms();
    this.#ownCluster = settings.engine === "hatchet" ? this.#openCluster() : undefined;
    this.engine = this.#ownCluster ?? this.#openInProcess();
  }

  /** Starts the processes for specs while they are being allocated. */
  prepare(experiment: string): void {
    this.runner.warm(this.engine.slots).catch(() => undefined); // the first chunk throws it
    this.#ownCluster?.prepare(experiment);
  }

  /** Another engine by name: a run may be on a cluster although this project uses another engine. Needs a token. */
  engineNamed(name: string): Engine | undefined {
    if (name === this.engine.name) return this.engine;
    if (name !== "hatchet" || !hasHatchetToken()) return undefined;
    this.#otherCluster ??= this.#openCluster();
    return this.#otherCluster;
  }

  /** @throws ScytheError `engine` for engines that need no workers */
  async serve(): Promise<HatchetWorker> {
    if (!this.#ownCluster) return (await this.engine.serve()) as never;
    await this.#warm(); // the first task should not wait for processes to start
    return this.#ownCluster.serve();
  }

  /** Stops driving this process's runs, which can be resumed; runs on a cluster continue there. */
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
      suspectLock: new SuspectLock(),
      limits: new FailureWatch(storage, this.controls),
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

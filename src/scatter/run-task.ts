import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { KnownContents } from "../files/content-mark.ts";
import { type NodePath, RunLayout } from "../run/layout.ts";
import { detailsOf, type Manifest, type ManifestDetails, readManifest } from "../run/manifest.ts";
import { type RetryPlan, readState } from "../run/state.ts";
import type { Storage } from "../storage/storage.ts";
import type { MemoryBudget } from "../table/memory-budget.ts";

/**
 * The payload of a node: its place, not its content. Payloads are types rather than interfaces, as only those are
 * assignable to JSON; their names stay, for work that an earlier version has queued.
 */
export type NodeTask = {
  experiment_id: string;
  path: NodePath;
  epoch: number;
  generation: number;
};

/** The payload of a leaf: positions `from` … `to` − 1 of a node. */
export type LeafTask = NodeTask & {
  from: number;
  to: number;
  /** Time budget: the leaf stops after this long, between two specs; null = never. */
  box_ms: number | null;
  /** A worker whose code has another hash refuses the task. */
  schema_hash: string;
};

/** What a leaf finished; it hands back the rest of its range. */
export type LeafResult = {
  from: number;
  to: number;
  ok: number;
  failed: number;
  /** Seconds in which specs ran. */
  seconds: number;
};

/** A value that is read on first use. A failed read is repeated at the next use. */
export class Lazy<T> {
  #value: Promise<T> | undefined;

  get(read: () => Promise<T>): Promise<T> {
    if (this.#value) return this.#value;
    const value = read();
    value.catch(() => this.#forget());
    this.#value = value;
    return value;
  }

  #forget(): void {
    this.#value = undefined;
  }
}

/** What a process has learned about a run that it works for. */
export class RunFindings {
  /** Resolves when the inputs match their records. */
  readonly checkedInputs = new Lazy<void>();
  /** The hash of each stored input file, by path within the run. */
  readonly inputHashes = new Lazy<Map<string, string>>();
  /** Verified contents of input files on this machine. */
  readonly contents = new KnownContents();
  /** How often damaged files of a node were removed, by the key of its parts. */
  readonly repairs = new Map<string, number>();
}

/** One generation of a run, as its tasks see it. */
export interface RunInfo {
  layout: RunLayout;
  manifest: Manifest;
  details: ManifestDetails;
  generation: number;
  /** The retry that made this generation; undefined for the first. */
  retry: RetryPlan | undefined;
  /** Key and number of the specs that it runs. */
  specs: string;
  count: number;
  findings: RunFindings;
}

/** The key of a node's specs. */
export function nodeSpecs({ layout, specs, generation }: RunInfo, path: NodePath): string {
  return path.length === 0 ? specs : layout.nodeSpecs(path, generation);
}

/** What a generation runs never changes, so each process reads it once. */
export class RunCache {
  readonly #storage: Storage;
  readonly #runs = new Map<string, Promise<RunInfo>>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** @throws ScytheError `conflict` when the run is at a later generation than the task */
  get({ experiment_id, generation }: Pick<NodeTask, "experiment_id" | "generation">): Promise<RunInfo> {
    const name = `${experiment_id} ${generation}`;
    let run = this.#runs.get(name);
    if (!run) {
      run = this.#read(experiment_id, generation);
      run.catch(() => this.#runs.delete(name));
      this.#runs.set(name, run);
    }
    return run;
  }

  async #read(experimentId: string, generation: number): Promise<RunInfo> {
    const layout = RunLayout.parse(experimentId);
    if (!layout) throw new ScytheError("invalid_input", `${JSON.stringify(experimentId)} is not an experiment_id`);
    const manifest = await readManifest(this.#storage, layout);
    const details = detailsOf(manifest);
    const run = { layout, manifest, details, generation, findings: new RunFindings() };
    if (generation > 0) {
      const retry = await readRetry(this.#storage, layout, generation);
      return { ...run, retry, specs: layout.retriedSpecs(generation, retry.attempt), count: retry.count };
    }
    const carried = details.carried_count ?? 0;
    const specs = carried > 0 ? layout.addedSpecs : layout.specs;
    return { ...run, retry: undefined, specs, count: details.spec_count - carried };
  }
}

async function readRetry(storage: Storage, layout: RunLayout, generation: number): Promise<RetryPlan> {
  const state = await readState(storage, layout);
  if (state?.retry && state.generation === generation) return state.retry;
  throw new ScytheError("conflict", `Run ${layout.experimentId} is not at generation ${generation}`, {
    hint: "Its failed specs have been retried since, so this work is obsolete.",
    details: { generation, current: state?.generation ?? null },
  });
}

/** What scatter and gather need from their project. */
export interface TreeSettings {
  storage: Storage;
  experiment: AnyExperiment;
  runs: RunCache;
  /** Folder for files that may be deleted at any time. */
  scratch: string;
  /** Shared by all merges and splits of this process. */
  memory: MemoryBudget;
}

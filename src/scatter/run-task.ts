import type { Json } from "../engine/engine.ts";
import { ScytheError } from "../errors.ts";
import type { AnyExperiment } from "../experiment/define.ts";
import { type NodePath, parseExperimentId, RunLayout } from "../run/layout.ts";
import { detailsOf, type Manifest, type ManifestDetails, readManifest } from "../run/manifest.ts";
import type { Storage } from "../storage/storage.ts";
import type { MemoryBudget } from "../table/memory-budget.ts";

/** The payload of a node: where it is, nothing of what it holds. */
export interface NodeTask {
  experiment_id: string;
  path: NodePath;
  epoch: number;
  generation: number;
}

/** The payload of a leaf: positions `from` … `to` − 1 of a node. */
export interface LeafTask extends NodeTask {
  from: number;
  to: number;
  /** Stop after this long, between two specs. */
  box_ms: number | null;
  /** A worker whose code has another hash hands the task back. */
  schema_hash: string;
}

/** What a leaf did; the rest of its range, if any, it hands back. */
export interface LeafResult {
  from: number;
  to: number;
  ok: number;
  failed: number;
  /** Time in which specs ran. */
  seconds: number;
}

export function toJson(value: NodeTask | LeafTask | LeafResult): Json {
  return value as unknown as Json;
}

/** A run as its tasks see it. */
export interface RunInfo {
  layout: RunLayout;
  manifest: Manifest;
  details: ManifestDetails;
}

/** Manifests never change, so each process reads each once. */
export class RunCache {
  readonly #storage: Storage;
  readonly #runs = new Map<string, Promise<RunInfo>>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  get(experimentId: string): Promise<RunInfo> {
    let run = this.#runs.get(experimentId);
    if (!run) {
      run = this.#read(experimentId);
      run.catch(() => this.#runs.delete(experimentId));
      this.#runs.set(experimentId, run);
    }
    return run;
  }

  async #read(experimentId: string): Promise<RunInfo> {
    const id = parseExperimentId(experimentId);
    if (!id) throw new ScytheError("invalid_input", `${JSON.stringify(experimentId)} is not an experiment_id`);
    const layout = new RunLayout(id);
    const manifest = await readManifest(this.#storage, layout);
    return { layout, manifest, details: detailsOf(manifest) };
  }
}

/** What scatter and gather need to know of the project they run in. */
export interface TreeSettings {
  storage: Storage;
  experiment: AnyExperiment;
  runs: RunCache;
  /** Folder for files that may be lost at any time. */
  scratch: string;
  /** Of all that this process merges and splits. */
  memory: MemoryBudget;
}

import type { Environment } from "../run/environment.ts";
import { readInputArtifacts } from "../run/input-artifacts.ts";
import { RunLayout } from "../run/layout.ts";
import { type Manifest, readManifest, type SpecsFile } from "../run/manifest.ts";
import { readState } from "../run/state.ts";
import type { DesignDescription } from "../sampling/design/plan.ts";
import type { Storage } from "../storage/storage.ts";

/** An input file that the run stored. */
export interface LineageArtifact {
  /** Within the run. */
  path: string;
  sha256: string;
  /** What it was called, where it lies under another name. */
  name: string | null;
}

/** An earlier run that this one continues; null where its manifest is not in this storage. */
export interface Ancestor {
  experiment_id: string;
  created_at: string | null;
  spec_count: number | null;
  git_commit: string | null;
  git_dirty: boolean | null;
}

/** What produced a run. Null is what it did not record. */
export interface Lineage {
  experiment_id: string;
  experiment_name: string;
  uri: string;
  created_at: string | null;
  /** What was typed. */
  command: string | null;
  code: Pick<Environment, "git_commit" | "git_dirty"> & { schema_hash: string | null };
  environment: Omit<Environment, "git_commit" | "git_dirty"> | null;
  specs: {
    count: number | null;
    source: SpecsFile | null;
    sha256: string | null;
    /** The design that gave them; null for specs that were given. */
    design: DesignDescription | null;
  };
  artifacts: LineageArtifact[];
  seed: number | null;
  /** Who drove it last; `times` says how often it was taken up. */
  driven: { engine: string | null; host: string | null; times: number; generation: number } | null;
  /** Nearest first. */
  parents: Ancestor[];
}

/** Reads what a run recorded of its origins. @throws ScytheError `not_found`; `storage` when it is damaged */
export async function readLineage(storage: Storage, layout: RunLayout): Promise<Lineage> {
  const [manifest, state, inputs] = await Promise.all([
    readManifest(storage, layout),
    readState(storage, layout),
    readInputArtifacts(storage, layout),
  ]);
  const details = manifest.scythe;
  const { git_commit = null, git_dirty = null, ...environment } = details?.environment ?? ({} as Partial<Environment>);
  return {
    experiment_id: layout.experimentId,
    experiment_name: manifest.experiment_name,
    uri: storage.uriOf(layout.experimentId),
    created_at: details?.created_at ?? null,
    command: details?.command ?? null,
    code: { git_commit, git_dirty, schema_hash: details?.schema_hash ?? null },
    environment: details ? (environment as Lineage["environment"]) : null,
    specs: {
      count: details?.spec_count ?? null,
      source: details?.specs_source ?? null,
      sha256: details?.specs_sha256 ?? null,
      design: details?.design ?? null,
    },
    artifacts: inputs.flatMap(({ uri, path = uri, sha256, name = null }) =>
      sha256 === undefined ? [] : [{ path, sha256, name }],
    ),
    seed: details?.seed ?? null,
    driven: state
      ? { engine: state.engine, host: state.owner?.host ?? null, times: state.epoch, generation: state.generation }
      : null,
    parents: await parentsOf(storage, manifest),
  };
}

const MOST_PARENTS = 100;

async function parentsOf(storage: Storage, run: Manifest): Promise<Ancestor[]> {
  const parents: Ancestor[] = [];
  const seen = new Set([run.experiment_id]);
  for (let next = run.scythe?.parent_run; next && !seen.has(next) && parents.length < MOST_PARENTS; ) {
    seen.add(next);
    const layout = RunLayout.parse(next);
    const manifest = layout && (await readManifest(storage, layout).catch(() => undefined));
    const details = manifest?.scythe;
    parents.push({
      experiment_id: next,
      created_at: details?.created_at ?? null,
      spec_count: details?.spec_count ?? null,
      git_commit: details?.environment.git_commit ?? null,
      git_dirty: details?.environment.git_dirty ?? null,
    });
    next = details?.parent_run;
  }
  return parents;
}

import { stringify } from "yaml";
import { z } from "zod";
import { ScytheError } from "../errors.ts";
import type { Column } from "../schema/columns.ts";
import { getText, type Storage } from "../storage/storage.ts";
import { brokenSeal, seal, sealState } from "./checksum.ts";
import type { Environment } from "./environment.ts";
import type { RunLayout } from "./layout.ts";
import { parseYaml } from "./yaml.ts";

export interface Recursion {
  /** Children of a node that splits, ≥ 1. */
  factor: number;
  /** Levels below the root, 0 … 10. */
  max_depth: number;
}

/** `manifest.yml`: what never changes about a run. The first six fields are Python Scythe's. */
export interface Manifest {
  workflow_run_id: string;
  experiment_id: string;
  experiment_name: string;
  specs_uri: string;
  io_spec: string;
  input_artifacts: string | null;
  /** What this package adds; null for a run of Python Scythe. */
  scythe: ManifestDetails | null;
}

export interface ManifestDetails {
  seed: number;
  spec_count: number;
  recursion: Recursion;
  /** Specs of a chunk, when the user fixed it. */
  chunk_size: number | null;
  schema_hash: string;
  /** Fields that a loose schema took beyond those it names. */
  extra_columns: Column[];
  /** Inputs of several plain kinds are among the index columns; absent in runs of earlier versions, where they are not. */
  union_columns?: boolean;
  /** The run that this one extends. */
  parent_run: string | null;
  /** How many of the specs came from there with their rows; absent = none. */
  carried_count?: number;
  created_at: string;
  environment: Environment;
  /** What was typed to allocate the run, without secrets; null when code did it. */
  command?: string | null;
  /** Where the specs came from; null when code gave them. */
  specs_source?: SpecsFile | null;
  /** Hex SHA-256 of what was stored beside the manifest; null for a file that the run does not have. */
  specs_sha256?: string;
  io_spec_sha256?: string;
  input_artifacts_sha256?: string;
  workflow_spec_sha256?: string | null;
}

/** The spec file as it was when it was read. */
export interface SpecsFile {
  /** Relative to the project where it lies within it. */
  path: string;
  bytes: number;
  sha256: string;
}

const pythonManifest = z.looseObject({
  workflow_run_id: z.string(),
  experiment_id: z.string(),
  experiment_name: z.string(),
  specs_uri: z.string(),
  io_spec: z.string(),
  input_artifacts: z.string().nullish(),
});

export function manifestText(manifest: Manifest): string {
  const { scythe, ...theirs } = manifest;
  return seal(stringify({ ...theirs, ...scythe }));
}

/** @throws ScytheError `not_found` when the run has none, `storage` when it cannot be understood */
export async function readManifest(storage: Storage, layout: RunLayout): Promise<Manifest> {
  const found = await getText(storage, layout.manifest);
  if (!found) {
    throw new ScytheError("not_found", `No run ${layout.experimentId} in ${storage.uri}`, {
      hint: "`scythe list` shows the runs there are. A run without manifest.yml was never finished allocating.",
    });
  }
  if (sealState(found.text) === "broken") throw brokenSeal(storage.uriOf(layout.manifest));
  const manifest = parseManifest(found.text);
  if (manifest) return manifest;
  throw new ScytheError("storage", `${storage.uriOf(layout.manifest)} is not a run's manifest`, {
    hint: "The file may be damaged: compare it with another run's.",
  });
}

/** Undefined for text that is no manifest. Its seal is not looked at. */
export function parseManifest(text: string): Manifest | undefined {
  const parsed = pythonManifest.safeParse(yamlOr(text));
  if (!parsed.success) return undefined;
  const { workflow_run_id, experiment_id, experiment_name, specs_uri, io_spec, input_artifacts, ...rest } = parsed.data;
  return {
    workflow_run_id,
    experiment_id,
    experiment_name,
    specs_uri,
    io_spec,
    input_artifacts: input_artifacts ?? null,
    scythe: typeof rest.schema_hash === "string" ? (rest as unknown as ManifestDetails) : null,
  };
}

/** Undefined for text that is no YAML. */
function yamlOr(text: string): unknown {
  try {
    return parseYaml(text);
  } catch {
    return undefined;
  }
}

/** @throws ScytheError `not_found` for a run of Python Scythe, which this package can read but not drive */
export function detailsOf(manifest: Manifest): ManifestDetails {
  if (manifest.scythe) return manifest.scythe;
  throw new ScytheError("not_found", `Run ${manifest.experiment_id} was not allocated by this package`, {
    hint: "Runs of Python Scythe can be listed, read and downloaded, not driven.",
  });
}

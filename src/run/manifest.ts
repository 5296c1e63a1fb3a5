import { stringify } from "yaml";
import { z } from "zod";
import { ScytheError } from "../errors.ts";
import type { DesignDescription } from "../sampling/design/plan.ts";
import type { Column } from "../schema/columns.ts";
import { getText, type Storage } from "../storage/storage.ts";
import { addChecksum, checksumMismatch, checksumState } from "./checksum.ts";
import type { Environment } from "./environment.ts";
import type { RunLayout } from "./layout.ts";
import { parseYaml } from "./yaml.ts";

/** The shape of a run's tree. */
export interface Recursion {
  /** Children of a node that splits, ≥ 1. */
  factor: number;
  /** Levels below the root, 0 … 10. */
  max_depth: number;
}

/** `manifest.yml`: the immutable facts of a run. The first six fields are Python Scythe's. */
export interface Manifest {
  workflow_run_id: string;
  experiment_id: string;
  experiment_name: string;
  specs_uri: string;
  io_spec: string;
  input_artifacts: string | null;
  /** Fields added by this package; null for a run of Python Scythe. */
  scythe: ManifestDetails | null;
}

/** What this package records of a run, beside Python Scythe's fields. */
export interface ManifestDetails {
  seed: number;
  spec_count: number;
  recursion: Recursion;
  /** Specs per chunk, when the user fixed it. */
  chunk_size: number | null;
  schema_hash: string;
  /** Fields that a loose schema accepted beyond the declared ones. */
  extra_columns: Column[];
  /**
   * Whether inputs of a union of scalar types are index columns; absent in runs of earlier versions, where they are
   * not.
   */
  union_columns?: boolean;
  /** The design that gave the specs, and which of its points they are; absent for specs that were given. */
  design?: DesignDescription;
  /** The run that this one extends. */
  parent_run: string | null;
  /**
   * How many specs, with their rows, were inherited from the base run; absent = none. Stored name: earlier versions use
   * it.
   */
  carried_count?: number;
  created_at: string;
  environment: Environment;
  /** The command line that allocated the run, without secrets; null when it was allocated by code. */
  command?: string | null;
  /** The file that the specs came from; null when code gave them. */
  specs_source?: SpecsFile | null;
  /** Hex SHA-256 of the files stored with the manifest; null for a file that the run does not have. */
  specs_sha256?: string;
  io_spec_sha256?: string;
  input_artifacts_sha256?: string;
  workflow_spec_sha256?: string | null;
  study_sha256?: string;
}

/** The spec file as it was when it was read. */
export interface SpecsFile {
  /** Relative to the project when inside it. */
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
  return addChecksum(stringify({ ...theirs, ...scythe }));
}

/** @throws ScytheError `not_found` when the run has none, `storage` when it is damaged */
export async function readManifest(storage: Storage, layout: RunLayout): Promise<Manifest> {
  const found = await getText(storage, layout.manifest);
  if (!found) {
    throw new ScytheError("not_found", `No run ${layout.experimentId} in ${storage.uri}`, {
      hint: "`scythe list` shows all runs. The allocation of a run without manifest.yml never finished.",
    });
  }
  if (checksumState(found.text) === "damaged") throw checksumMismatch(storage.uriOf(layout.manifest));
  const manifest = parseManifest(found.text);
  if (manifest) return manifest;
  throw new ScytheError("storage", `${storage.uriOf(layout.manifest)} is not a run's manifest`, {
    hint: "The file may be damaged: compare it with that of another run.",
  });
}

/** Undefined for text that is not a manifest. Does not verify the checksum. */
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

/** Undefined for text that is not YAML. */
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

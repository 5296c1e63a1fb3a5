import type { Storage } from "../storage/storage.ts";
import type { RunLayout } from "./layout.ts";
import { readYaml } from "./yaml.ts";

/** `input_artifacts.yml`: the URIs of the run's input files by field, then the hash and name of each by URI. */
export interface InputArtifactsFile {
  files?: Record<string, string[]>;
  /** Hex SHA-256. */
  sha256?: Record<string, string>;
  /** The original file name, where the file is stored under another. */
  names?: Record<string, string>;
}

/** An input file that a run stored. */
export interface InputArtifact {
  /** Where it was when the run was allocated. */
  uri: string;
  /** Path within the run; undefined for a file outside of it. */
  path: string | undefined;
  /** Hex; undefined when not recorded. */
  sha256: string | undefined;
  /** The original file name, where the file is stored under another. */
  name: string | undefined;
}

/**
 * The run's recorded input files; empty without a record.
 * @throws ScytheError `storage` for a damaged record
 */
export async function readInputArtifacts(storage: Storage, layout: RunLayout): Promise<InputArtifact[]> {
  const found = await readYaml<InputArtifactsFile>(storage, layout.inputArtifacts);
  const { sha256 = {}, names = {} } = found?.value ?? {};
  const uris = new Set([...Object.keys(sha256), ...Object.keys(names)]);
  return [...uris].map((uri) => ({ uri, path: layout.pathOf(uri), sha256: sha256[uri], name: names[uri] }));
}

/** Path within the run → hex SHA-256, of the files that have both. */
export function inputHashes(artifacts: readonly InputArtifact[]): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const { path, sha256 } of artifacts) if (path !== undefined && sha256 !== undefined) hashes.set(path, sha256);
  return hashes;
}

import type { Storage } from "../storage/storage.ts";
import type { RunLayout } from "./layout.ts";
import { readYaml } from "./yaml.ts";

/** `input_artifacts.yml`: by field the URIs of the run's input files, then what is known of each, by URI. */
export interface InputArtifactsFile {
  files?: Record<string, string[]>;
  /** Hex SHA-256. */
  sha256?: Record<string, string>;
  /** The name that a file had, where it lies under another. */
  names?: Record<string, string>;
}

/** An input file that a run stored. */
export interface InputArtifact {
  /** Where it lay when the run was allocated. */
  uri: string;
  /** Within the run, wherever that lies now; undefined for a file of another place. */
  path: string | undefined;
  /** Hex; undefined where none was recorded. */
  sha256: string | undefined;
  /** The name that it had, where it lies under another. */
  name: string | undefined;
}

/** The input files that a run recorded; none where it has no record of them. @throws ScytheError `storage` for a damaged one */
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

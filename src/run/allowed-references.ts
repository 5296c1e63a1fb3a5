import { fileURLToPath } from "node:url";
import type { Confinement } from "../files/confinement.ts";
import type { Storage } from "../storage/storage.ts";
import { isRunFileKey } from "./run-paths.ts";

/** What allocation knows of the project it is for. */
export interface AllocatingProject {
  /** Whose code is recorded, and where spec files may refer to. */
  folder: string;
  /** Brings remote files. */
  fetchUri: (uri: string) => Promise<string>;
  /** What spec files may refer to beside the project and the run's own bucket. */
  allowPaths?: readonly string[];
  allowBuckets?: readonly string[];
}

/** What a spec file may refer to, beside what lies in its own folder. */
export function allowedIn(
  storage: Storage,
  project: AllocatingProject,
  allowPaths: readonly string[] = [],
): Confinement {
  const bucket = /^s3:\/\/([^/]+)/.exec(storage.uri)?.[1];
  return {
    folders: [project.folder, ...(project.allowPaths ?? []), ...allowPaths],
    buckets: [...(bucket === undefined ? [] : [bucket]), ...(project.allowBuckets ?? [])],
    runFile: (uri) => runFileOf(storage, uri),
  };
}

function runFileOf(storage: Storage, uri: string): { path: string; folder: string } | undefined {
  const key = storage.keyOf(uri);
  if (key === undefined || !storage.localPath || !isRunFileKey(key)) return undefined;
  try {
    return { path: storage.localPath(key), folder: fileURLToPath(storage.uri) };
  } catch {
    return undefined; // a link that leads out of the storage is none of its files
  }
}

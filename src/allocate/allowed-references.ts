import type { Confinement } from "../files/confinement.ts";
import { isRunFileKey } from "../run/run-paths.ts";
import type { Storage } from "../storage/storage.ts";

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
    isRunFile: (uri) => isRunFile(storage, uri),
  };
}

function isRunFile(storage: Storage, uri: string): boolean {
  const key = storage.keyOf(uri);
  if (key === undefined || !storage.localPath || !isRunFileKey(key)) return false;
  try {
    storage.localPath(key);
    return true;
  } catch {
    return false; // a link that leads out of the storage is none of its files
  }
}

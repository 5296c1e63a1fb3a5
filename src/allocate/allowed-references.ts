import type { Confinement } from "../files/confinement.ts";
import { isRunFileKey } from "../run/run-paths.ts";
import type { Storage } from "../storage/storage.ts";

/** What allocation needs from its project. */
export interface AllocatingProject {
  /** The project's folder: its git state is recorded, and spec files may refer to files in it. */
  folder: string;
  /** Downloads remote files. */
  fetchUri: (uri: string) => Promise<string>;
  /** Further places that spec files may refer to. */
  allowPaths?: readonly string[];
  allowBuckets?: readonly string[];
}

/** What a spec file may refer to, besides files in its own folder. */
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
    return false; // a link that leads out of the storage is not one of its files
  }
}

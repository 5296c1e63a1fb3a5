import { realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunLayout } from "../../run/layout.ts";
import type { Storage } from "../../storage/storage.ts";

/** What a worker needs to find the run's own input files. */
export interface RunInputs {
  experimentId: string;
  /** Folder of the run's artifacts; null when they are not on this machine. */
  artifacts: string | null;
}

export function runInputs(storage: Storage, layout: RunLayout): RunInputs {
  const artifacts = storage.localPath?.(layout.artifacts.slice(0, -1)) ?? null;
  return { experimentId: layout.experimentId, artifacts };
}

/**
 * Finds input files: the run's own in its current folder on this machine, all others by `fetchUri`. A manipulated
 * specs.pq that names another file of this machine does not get it.
 */
export function inputFinder(
  { experimentId, artifacts }: RunInputs,
  fetchUri: (uri: string) => Promise<string>,
): (uri: string) => Promise<string> {
  const found = new Map<string, string>();
  const own = (uri: string): string | undefined => {
    const within = artifacts === null ? undefined : pathWithin(uri, `/${experimentId}/artifacts/`);
    if (within === undefined) return undefined;
    const path = found.get(uri) ?? inside(artifacts!, within);
    found.set(uri, path);
    return path;
  };
  return async (uri) => own(uri) ?? fetchUri(uri);
}

function pathWithin(uri: string, folder: string): string | undefined {
  if (!/^file:/i.test(uri)) return undefined;
  const path = fileURLToPath(uri).split(sep).join("/");
  const at = path.indexOf(folder);
  return at < 0 ? undefined : path.slice(at + folder.length);
}

/** @throws Error when there is no such file, or a link leads out of the folder */
function inside(folder: string, within: string): string {
  const path = join(folder, within);
  try {
    if (realpathSync(path).startsWith(realpathSync(folder) + sep)) return path;
  } catch {
    throw new Error(`The input file ${path} is missing; it should be in the run's artifacts/`);
  }
  throw new Error(`${path} is a link out of the run's artifacts/, so it is not read`);
}

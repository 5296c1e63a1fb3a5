import type { FetchUri } from "../../files/fetch.ts";
import { inputHashes, readInputArtifacts } from "../../run/input-artifacts.ts";
import type { RunLayout } from "../../run/layout.ts";
import { folderOf } from "../../run/run-paths.ts";
import type { RunInfo } from "../../scatter/run-task.ts";
import type { Storage } from "../../storage/storage.ts";

/**
 * Fetches a run's inputs. A file that the run stored is fetched from the run's current location and must match its
 * recorded hash.
 */
export function recordedFetch(storage: Storage, run: RunInfo, fetchUri: FetchUri): (uri: string) => Promise<string> {
  const { contents, inputHashes: recorded } = run.findings;
  const readHashes = () => readInputArtifacts(storage, run.layout).then(inputHashes);
  return async (written) => {
    const own = artifactPath(run.layout, written);
    if (own === undefined) return fetchUri(written);
    const uri = storage.uriOf(run.layout.key(own));
    const path = await fetchUri(uri);
    const sha256 = (await recorded.get(readHashes)).get(own);
    if (sha256 === undefined || (await contents.is(path, sha256))) return path;
    const again = await fetchUri(uri, true); // the object may have been repaired since it was cached
    await contents.assert(again, sha256, uri);
    return again;
  };
}

/** Path within the run of a stored input file. */
function artifactPath(layout: RunLayout, uri: string): string | undefined {
  const path = layout.pathOf(uri);
  return path !== undefined && folderOf(path) === "artifacts" ? path : undefined;
}

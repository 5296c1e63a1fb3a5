import { readInputArtifacts } from "../run/input-artifacts.ts";
import { dateOfTimestamp, isTimestamp, RunLayout } from "../run/layout.ts";
import { sortVersions } from "../run/version.ts";
import type { Storage } from "../storage/storage.ts";

/** How many earlier runs are searched: a study mostly continues from its last run. */
const MAX_RUNS = 3;

/**
 * Input files of the newest earlier runs with the same name: SHA-256 → key. Empty for local storage, where a copy costs
 * the same from anywhere.
 */
export async function earlierContents(storage: Storage, layout: RunLayout): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  if (storage.localPath) return known;
  for (const earlier of await newestRuns(storage, layout)) {
    const artifacts = await readInputArtifacts(storage, earlier).catch(() => []);
    for (const { uri, sha256 } of artifacts) {
      const key = storage.keyOf(uri);
      if (key !== undefined && sha256 !== undefined) known.set(sha256, key);
    }
  }
  return known;
}

async function newestRuns(storage: Storage, layout: RunLayout): Promise<RunLayout[]> {
  const { name } = layout.id;
  const versions = sortVersions(await storage.listFolders(`${name}/`)).slice(-MAX_RUNS);
  const runs = await Promise.all(
    versions.map(async (version) =>
      (await storage.listFolders(`${name}/${version}/`))
        .filter(isTimestamp)
        .map((timestamp) => new RunLayout({ name, version, timestamp })),
    ),
  );
  const time = (run: RunLayout) => dateOfTimestamp(run.id.timestamp).getTime();
  return runs
    .flat()
    .filter((run) => run.experimentId !== layout.experimentId)
    .sort((a, b) => time(b) - time(a))
    .slice(0, MAX_RUNS);
}

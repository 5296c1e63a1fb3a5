import { readInputArtifacts } from "../run/input-artifacts.ts";
import { dateOfTimestamp, isTimestamp, RunLayout } from "../run/layout.ts";
import { sortVersions } from "../run/version.ts";
import type { Storage } from "../storage/storage.ts";

/** Earlier runs that are looked at: studies mostly go on where the last one ended. */
const LOOKED_AT = 3;

/**
 * The contents of input files that the newest earlier runs of the same name hold: SHA-256 → key. Empty for a storage on
 * this machine's disk, where a copy is as dear from anywhere.
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
  const versions = sortVersions(await storage.listFolders(`${name}/`)).slice(-LOOKED_AT);
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
    .slice(0, LOOKED_AT);
}

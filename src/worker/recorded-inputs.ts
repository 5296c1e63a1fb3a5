import { KnownContents } from "../files/content-mark.ts";
import type { InputArtifacts } from "../run/descriptions.ts";
import { readYaml } from "../run/yaml.ts";
import type { RunInfo } from "../scatter/run-task.ts";
import type { Storage } from "../storage/storage.ts";

const contents = new KnownContents();
const records = new WeakMap<RunInfo, Promise<Map<string, string>>>();

/** Brings a run's inputs; one that the run stored is what it recorded, or it is not used. */
export function recordedFetch(
  storage: Storage,
  run: RunInfo,
  fetchUri: (uri: string) => Promise<string>,
): (uri: string) => Promise<string> {
  return async (uri) => {
    const path = await fetchUri(uri);
    const own = run.layout.pathOf(uri);
    const sha256 = own === undefined ? undefined : (await recordsOf(storage, run)).get(own);
    if (sha256 !== undefined) await contents.assert(path, sha256, uri);
    return path;
  };
}

/** Path within the run → hash, read once. */
function recordsOf(storage: Storage, run: RunInfo): Promise<Map<string, string>> {
  let known = records.get(run);
  if (!known) {
    known = readRecords(storage, run);
    records.set(run, known);
    known.catch(() => records.delete(run));
  }
  return known;
}

async function readRecords(storage: Storage, { layout }: RunInfo): Promise<Map<string, string>> {
  const found = await readYaml<InputArtifacts>(storage, layout.inputArtifacts);
  const entries = Object.entries(found?.value.sha256 ?? {}).map(([uri, sha256]) => [layout.pathOf(uri), sha256]);
  return new Map(entries.filter((entry): entry is [string, string] => entry[0] !== undefined));
}

import { ScytheError } from "../errors.ts";
import { eachOf, hashFile } from "../files/artifacts.ts";
import type { NodePath, PartName } from "../run/layout.ts";
import { readYaml } from "../run/yaml.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import { isSealed } from "../table/parquet-seal.ts";
import { ParquetReader } from "../table/read-parquet.ts";
import type { NodeTask, RunInfo, TreeSettings } from "./run-task.ts";
import { ATTEMPT_KEY, TABLES_KEY } from "./sources.ts";

/**
 * Files on a disk that have changed since they were written: what the tree made itself goes, named, and is made anew;
 * what came from outside is named. Of a bucket every download is checked against its hash as it comes.
 */

/** Files looked at at once. */
const AT_ONCE = 4;
/** A node whose files are found damaged again so often lies on a disk that cannot be trusted. */
const ROUNDS = 3;

/**
 * Looks at the parts that a node is about to merge, and removes those that are damaged, or whose tables are.
 * @returns true when there were any: their specs are to be run again
 */
export async function removeDamagedParts(
  settings: TreeSettings,
  run: RunInfo,
  task: NodeTask,
  parts: readonly (PartName & { key: string })[],
): Promise<boolean> {
  const { storage } = settings;
  if (!storage.localPath) return false;
  const damaged: string[] = [];
  await eachOf(parts, AT_ONCE, async (part) => {
    const bad = await damagedOf(storage, [part.key]);
    const tables = bad.length > 0 ? [] : await tablesOf(storage, run, task.path, part);
    const badTables = await damagedOf(storage, tables);
    if (bad.length + badTables.length > 0) damaged.push(...bad, ...badTables, part.key);
  });
  return remove(settings, run, task.path, [...new Set(damaged)], "its specs are run again");
}

/** Removes what a node below the root has gathered when any of it is damaged: it is gathered from its parts again. */
export async function removeDamagedGathered(
  settings: TreeSettings,
  run: RunInfo,
  path: NodePath,
  generation: number,
): Promise<boolean> {
  const { storage } = settings;
  if (!storage.localPath) return false;
  const keys = (await listAll(storage, run.layout.gatheredFolder(path, generation))).map(({ key }) => key);
  const damaged = await damagedOf(storage, keys);
  if (damaged.length === 0) return false;
  await remove(settings, run, path, damaged, "its node is gathered again");
  await storage.delete(keys);
  return true;
}

/** Removes the specs of a node below the root when they are damaged: its parent has them all. */
export function removeDamagedSlice(settings: TreeSettings, run: RunInfo, path: NodePath, key: string) {
  if (!settings.storage.localPath) return Promise.resolve(false);
  return damagedOf(settings.storage, [key]).then((damaged) =>
    remove(settings, run, path, damaged, "it is made again from the specs of its parent"),
  );
}

const checked = new WeakMap<RunInfo, Promise<void>>();

/**
 * What a run was given cannot be made anew: it is checked once by each process that drives the run.
 * @throws ScytheError `storage` naming the file
 */
export function checkInputs(storage: Storage, run: RunInfo): Promise<void> {
  let done = checked.get(run);
  if (!done) {
    done = storage.localPath ? compareInputs(storage, run) : Promise.resolve();
    checked.set(run, done);
  }
  return done;
}

async function compareInputs(storage: Storage, { layout, details, specs }: RunInfo): Promise<void> {
  const isSubset = specs !== layout.specs; // of a retry or an extension: it carries its checksum itself
  if (isSubset && (await damagedOf(storage, [specs])).length > 0) throw damagedInput(storage, specs, "is damaged");
  await compare(storage, [
    { key: layout.specs, sha256: details.specs_sha256 },
    { key: layout.inputArtifacts, sha256: details.input_artifacts_sha256 },
  ]);
  const artifacts = await readYaml<{ sha256?: Record<string, string> }>(storage, layout.inputArtifacts);
  const files = Object.entries(artifacts?.value.sha256 ?? {}).flatMap(([uri, sha256]) => {
    const path = layout.pathOf(uri);
    return path === undefined ? [] : [{ key: layout.key(path), sha256 }];
  });
  await compare(storage, files);
}

/** @param files whose hash is not recorded pass: an earlier version made the run */
async function compare(storage: Storage, files: readonly { key: string; sha256: string | undefined }[]): Promise<void> {
  await eachOf(files, AT_ONCE, async ({ key, sha256 }) => {
    if (sha256 === undefined) return;
    const found = await hashFile(storage.localPath!(key)).catch(() => "missing");
    if (found === sha256) return;
    const what = found === "missing" ? "is missing" : "is damaged: its SHA-256 is not the recorded one";
    throw damagedInput(storage, key, what);
  });
}

function damagedInput(storage: Storage, key: string, what: string): ScytheError {
  return new ScytheError("storage", `${storage.uriOf(key)} ${what}`, {
    hint: "Restore it from where it came from, or from a copy of the run, and resume the run: what is done is kept.",
    details: { key },
  });
}

async function damagedOf(storage: Storage, keys: readonly string[]): Promise<string[]> {
  const damaged: string[] = [];
  await eachOf(keys, AT_ONCE, async (key) => {
    if (!(await isSealed(storage.localPath!(key)).catch(() => false))) damaged.push(key);
  });
  return damaged;
}

/** The table files of the attempt that a part names. */
async function tablesOf(storage: Storage, run: RunInfo, path: NodePath, part: PartName & { key: string }) {
  const reader = await ParquetReader.open(storage.localPath!(part.key));
  try {
    const metadata = new Map(reader.metadata.key_value_metadata?.map(({ key, value }) => [key, value ?? ""]));
    const names = (metadata.get(TABLES_KEY) ?? "").split(",").filter(Boolean);
    return names.map((name) => run.layout.partTable(path, part, name, metadata.get(ATTEMPT_KEY) ?? ""));
  } finally {
    reader.close();
  }
}

const rounds = new WeakMap<RunInfo, Map<string, number>>();

async function remove(settings: TreeSettings, run: RunInfo, path: NodePath, keys: readonly string[], then: string) {
  if (keys.length === 0) return false;
  const { storage } = settings;
  const uris = keys.map((key) => storage.uriOf(key)).sort();
  const ofRun = rounds.get(run) ?? new Map<string, number>();
  rounds.set(run, ofRun);
  const node = run.layout.parts(path);
  const round = (ofRun.get(node) ?? 0) + 1;
  ofRun.set(node, round);
  if (round > ROUNDS) {
    throw new ScytheError("storage", `${uris[0]} is damaged, after it was made anew ${ROUNDS} times`, {
      hint: "The disk gives back other bytes than were written to it: copy the run to another one.",
      details: { keys },
    });
  }
  for (const uri of uris) process.emitWarning(`${uri} is damaged or gone; ${then}`, "ScytheWarning");
  await storage.delete(keys);
  return true;
}

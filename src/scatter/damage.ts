import { ScytheError } from "../errors.ts";
import { eachOf, hashFile } from "../files/artifacts.ts";
import { inputHashes, readInputArtifacts } from "../run/input-artifacts.ts";
import type { NodePath, PartName } from "../run/layout.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import { isSealed } from "../table/parquet-seal.ts";
import { readBeside } from "./gather/beside.ts";
import { sideTables } from "./part-columns.ts";
import type { NodeTask, RunInfo, TreeSettings } from "./run-task.ts";

/**
 * Files on a disk that have changed since they were written: what the tree made itself goes, named, and is made anew;
 * what came from outside is named. Of a bucket every download is checked against its hash as it comes, so that there only
 * what is gone is looked for.
 */

/** Files looked at at once: whole ones on a disk, footers in a bucket. */
const AT_ONCE = 4;
const REQUESTS = 16;
/** A node whose files are found damaged again so often lies on a disk that cannot be trusted. */
const ROUNDS = 3;

/**
 * Looks at the parts that a node is about to merge, and removes those that are damaged, or whose tables are damaged or
 * gone.
 * @returns true when there were any: their specs are to be run again
 */
export async function removeDamagedParts(
  settings: TreeSettings,
  run: RunInfo,
  task: NodeTask,
  parts: readonly (PartName & StoredRows)[],
): Promise<boolean> {
  const { storage } = settings;
  const mayHave = sideTables(settings.experiment);
  const looked = storage.localPath ? parts : parts.filter(({ failed }) => failed > 0 || mayHave.length > 1);
  const listing = looked.length > 0 ? await listAll(storage, run.layout.partTables(task.path)) : [];
  const there = new Set(listing.map(({ key }) => key));
  const found: Harm = { rows: [], beside: [] };
  await eachOf(looked, storage.localPath ? AT_ONCE : REQUESTS, async (part) => {
    const keyOf = (table: string, attempt: string) => run.layout.partTable(task.path, part, table, attempt);
    const harm = await harmOf(storage, part, { mayHave, keyOf, isThere: async (key) => there.has(key) });
    found.rows.push(...harm.rows);
    found.beside.push(...harm.beside);
  });
  return remove(settings, run, task.path, found, "its specs are run again");
}

/** Removes what a node below the root has gathered when any of it is damaged or gone: it is gathered from its parts again. */
export async function removeDamagedGathered(
  settings: TreeSettings,
  run: RunInfo,
  path: NodePath,
  generation: number,
  { size }: { size: number },
): Promise<boolean> {
  const { storage } = settings;
  const rows = { key: run.layout.gathered(path, generation), size };
  const keyOf = (table: string, attempt: string) => run.layout.gatheredTable(path, generation, table, attempt);
  const isThere = async (key: string) => (await storage.head(key)) !== undefined;
  const harm = await harmOf(storage, rows, { mayHave: sideTables(settings.experiment), keyOf, isThere });
  return remove(settings, run, path, harm, "its node is gathered again");
}

/** A part, or what a node gathered. */
interface StoredRows {
  key: string;
  size: number;
}

/** Keys of what is damaged or gone. Rows with a table that is go with it: they name it. */
interface Harm {
  rows: string[];
  beside: string[];
}

/** The tables that may lie beside rows, and where. */
interface SideTables {
  mayHave: readonly string[];
  keyOf: (table: string, attempt: string) => string;
  isThere: (key: string) => Promise<boolean>;
}

async function harmOf(storage: Storage, rows: StoredRows, { mayHave, keyOf, isThere }: SideTables): Promise<Harm> {
  if (storage.localPath && (await damagedOf(storage, [rows.key])).length > 0) return { rows: [rows.key], beside: [] };
  const { attempt, tables } = await readBeside(storage, rows.key, rows.size);
  const keys = (tables ?? mayHave).map((table) => keyOf(table, attempt));
  const there = await Promise.all(keys.map(isThere));
  const lost = tables ? keys.filter((_, i) => !there[i]) : [];
  const damaged = storage.localPath
    ? await damagedOf(
        storage,
        keys.filter((_, i) => there[i]),
      )
    : [];
  const beside = [...lost, ...damaged];
  return { rows: beside.length > 0 ? [rows.key] : [], beside };
}

/** Removes the specs of a node below the root when they are damaged: its parent has them all. */
export function removeDamagedSlice(settings: TreeSettings, run: RunInfo, path: NodePath, key: string) {
  if (!settings.storage.localPath) return Promise.resolve(false);
  return damagedOf(settings.storage, [key]).then((damaged) =>
    remove(settings, run, path, { rows: damaged, beside: [] }, "it is made again from the specs of its parent"),
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
    done.catch(() => checked.delete(run)); // restored, it is looked at again
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
  const hashes = inputHashes(await readInputArtifacts(storage, layout));
  await compare(
    storage,
    [...hashes].map(([path, sha256]) => ({ key: layout.key(path), sha256 })),
  );
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

export function damagedInput(storage: Storage, key: string, what: string): ScytheError {
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

const rounds = new WeakMap<RunInfo, Map<string, number>>();

/** Rows go first: while they are there, what they name is. */
async function remove(settings: TreeSettings, run: RunInfo, path: NodePath, { rows, beside }: Harm, then: string) {
  if (rows.length === 0) return false;
  const { storage } = settings;
  const keys = [...rows, ...beside];
  const uris = (beside.length > 0 ? beside : rows).map((key) => storage.uriOf(key)).sort();
  const ofRun = rounds.get(run) ?? new Map<string, number>();
  rounds.set(run, ofRun);
  const node = run.layout.parts(path);
  const round = (ofRun.get(node) ?? 0) + 1;
  ofRun.set(node, round);
  if (round > ROUNDS) {
    ofRun.delete(node); // whoever resumes the run has done something about it
    throw new ScytheError("storage", `${uris[0]} is damaged, after it was made anew ${ROUNDS} times`, {
      hint: "The disk gives back other bytes than were written to it: copy the run to another one.",
      details: { keys },
    });
  }
  for (const uri of uris) process.emitWarning(`${uri} is damaged or gone; ${then}`, "ScytheWarning");
  await storage.delete(rows);
  await storage.delete(beside);
  return true;
}

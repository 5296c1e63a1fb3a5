import pMap from "p-map";
import { ScytheError } from "../errors.ts";
import type { NodePath, PartName } from "../run/layout.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import { isSealed } from "../table/parquet-seal.ts";
import { readBeside } from "./gather/beside.ts";
import { sideTables } from "./part-columns.ts";
import type { NodeTask, RunInfo, TreeSettings } from "./run-task.ts";

/*
 * Files on a disk may have changed since they were written. What the tree made itself is removed, with a warning that names
 * it, and is made again. In a bucket only what is gone is looked for: there every download is checked against its hash.
 */

/** Files read at once: whole ones on a disk, footers in a bucket. */
export const FILES_AT_ONCE = 4;
const REQUESTS_AT_ONCE = 16;
/** A node whose files are found damaged more often lies on a disk that cannot be trusted. */
const MAX_REPAIRS = 3;

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
  const suspects = storage.localPath ? parts : parts.filter(({ failed }) => failed > 0 || mayHave.length > 1);
  const listing = suspects.length > 0 ? await listAll(storage, run.layout.partTables(task.path)) : [];
  const there = new Set(listing.map(({ key }) => key));
  const found: Damage = { rows: [], beside: [] };
  await pMap(
    suspects,
    async (part) => {
      const keyOf = (table: string, attempt: string) => run.layout.partTable(task.path, part, table, attempt);
      const damage = await damageOf(storage, part, { mayHave, keyOf, isThere: async (key) => there.has(key) });
      found.rows.push(...damage.rows);
      found.beside.push(...damage.beside);
    },
    { concurrency: storage.localPath ? FILES_AT_ONCE : REQUESTS_AT_ONCE },
  );
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
  const damage = await damageOf(storage, rows, { mayHave: sideTables(settings.experiment), keyOf, isThere });
  return remove(settings, run, path, damage, "its node is gathered again");
}

/** A part, or what a node gathered. */
interface StoredRows {
  key: string;
  size: number;
}

/** Keys of what is damaged or gone. Rows with a table that is go with it: they name it. */
interface Damage {
  rows: string[];
  beside: string[];
}

/** The tables that may lie beside rows, and where. */
interface SideTables {
  mayHave: readonly string[];
  keyOf: (table: string, attempt: string) => string;
  isThere: (key: string) => Promise<boolean>;
}

async function damageOf(storage: Storage, rows: StoredRows, { mayHave, keyOf, isThere }: SideTables): Promise<Damage> {
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

/** Those keys whose files are not as they were written, on a disk. */
export async function damagedOf(storage: Storage, keys: readonly string[]): Promise<string[]> {
  const damaged: string[] = [];
  await pMap(
    keys,
    async (key) => {
      if (!(await isSealed(storage.localPath!(key)).catch(() => false))) damaged.push(key);
    },
    { concurrency: FILES_AT_ONCE },
  );
  return damaged;
}

/** Rows go first: while they are there, what they name is. */
async function remove(settings: TreeSettings, run: RunInfo, path: NodePath, { rows, beside }: Damage, then: string) {
  if (rows.length === 0) return false;
  const { storage } = settings;
  const keys = [...rows, ...beside];
  const uris = (beside.length > 0 ? beside : rows).map((key) => storage.uriOf(key)).sort();
  const { repairs } = run.findings;
  const node = run.layout.parts(path);
  const count = (repairs.get(node) ?? 0) + 1;
  repairs.set(node, count);
  if (count > MAX_REPAIRS) {
    repairs.delete(node); // before the run is resumed, something will have been done about it
    throw new ScytheError("storage", `${uris[0]} is damaged, after it was made again ${MAX_REPAIRS} times`, {
      hint: "The disk gives back other bytes than were written to it: copy the run to another one.",
      details: { keys },
    });
  }
  for (const uri of uris) process.emitWarning(`${uri} is damaged or gone; ${then}`, "ScytheWarning");
  await storage.delete(rows);
  await storage.delete(beside);
  return true;
}

import pMap from "p-map";
import { ScytheError } from "../errors.ts";
import type { NodePath, PartName } from "../run/layout.ts";
import { listAll, type Storage } from "../storage/storage.ts";
import { hasValidChecksum } from "../table/parquet-checksum.ts";
import { readSideTables } from "./gather/side-tables.ts";
import { sideTableNames } from "./part-columns.ts";
import type { NodeTask, RunInfo, TreeSettings } from "./run-task.ts";

/**
 * Files on a disk may have changed since they were written. What the tree made itself is reported in a warning, removed
 * and made again. Downloads from a bucket are checked against their hash on arrival, so there only missing files
 * matter.
 */

/** Files checked concurrently: whole files on a disk, footers in a bucket. */
export const FILES_AT_ONCE = 4;
const REQUESTS_AT_ONCE = 16;
/** After this many rounds of damage to one node's files, the disk is considered faulty. */
const MAX_REPAIRS = 3;

/**
 * Removes the parts of a node that are damaged, or whose side tables are damaged or missing.
 * @returns true when there were any: their specs must run again
 */
export async function removeDamagedParts(
  settings: TreeSettings,
  run: RunInfo,
  task: NodeTask,
  parts: readonly (PartName & StoredRows)[],
): Promise<boolean> {
  const { storage } = settings;
  const mayHave = sideTableNames(settings.experiment);
  const suspects = storage.localPath ? parts : parts.filter(({ failed }) => failed > 0 || mayHave.length > 1);
  const listing = suspects.length > 0 ? await listAll(storage, run.layout.partTables(task.path)) : [];
  const there = new Set(listing.map(({ key }) => key));
  const found: Damage = { rows: [], sideTables: [] };
  await pMap(
    suspects,
    async (part) => {
      const keyOf = (table: string, attempt: string) => run.layout.partTable(task.path, part, table, attempt);
      const damage = await damageOf(storage, part, { mayHave, keyOf, isThere: async (key) => there.has(key) });
      found.rows.push(...damage.rows);
      found.sideTables.push(...damage.sideTables);
    },
    { concurrency: storage.localPath ? FILES_AT_ONCE : REQUESTS_AT_ONCE },
  );
  return remove(settings, run, task.path, found, "its specs are run again");
}

/**
 * Removes a child node's gathered files when any is damaged or missing, so that they are gathered from its parts again.
 * @returns true when there were any
 */
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
  const damage = await damageOf(storage, rows, { mayHave: sideTableNames(settings.experiment), keyOf, isThere });
  return remove(settings, run, path, damage, "its node is gathered again");
}

/** A part's rows, or a node's gathered rows. */
interface StoredRows {
  key: string;
  size: number;
}

/** Keys of damaged or missing files. Rows whose side table is damaged are removed too: they name it. */
interface Damage {
  rows: string[];
  sideTables: string[];
}

/** Which side tables rows may have, and where. */
interface SideTables {
  mayHave: readonly string[];
  keyOf: (table: string, attempt: string) => string;
  isThere: (key: string) => Promise<boolean>;
}

async function damageOf(storage: Storage, rows: StoredRows, { mayHave, keyOf, isThere }: SideTables): Promise<Damage> {
  if (storage.localPath && (await damagedOf(storage, [rows.key])).length > 0)
    return { rows: [rows.key], sideTables: [] };
  const { attempt, tables } = await readSideTables(storage, rows.key, rows.size);
  const keys = (tables ?? mayHave).map((table) => keyOf(table, attempt));
  const there = await Promise.all(keys.map(isThere));
  const lost = tables ? keys.filter((_, i) => !there[i]) : [];
  const damaged = storage.localPath
    ? await damagedOf(
        storage,
        keys.filter((_, i) => there[i]),
      )
    : [];
  const sideTables = [...lost, ...damaged];
  return { rows: sideTables.length > 0 ? [rows.key] : [], sideTables };
}

/** Removes a damaged copy of a child node's specs: its parent can write it again. */
export function removeDamagedSlice(settings: TreeSettings, run: RunInfo, path: NodePath, key: string) {
  if (!settings.storage.localPath) return Promise.resolve(false);
  return damagedOf(settings.storage, [key]).then((damaged) =>
    remove(settings, run, path, { rows: damaged, sideTables: [] }, "it is written again from its parent's specs"),
  );
}

/** The keys of damaged files, on a disk. */
export async function damagedOf(storage: Storage, keys: readonly string[]): Promise<string[]> {
  const damaged: string[] = [];
  await pMap(
    keys,
    async (key) => {
      if (!(await hasValidChecksum(storage.localPath!(key)).catch(() => false))) damaged.push(key);
    },
    { concurrency: FILES_AT_ONCE },
  );
  return damaged;
}

/** Deletes rows first: while rows exist, the tables that they name must exist. */
async function remove(
  settings: TreeSettings,
  run: RunInfo,
  path: NodePath,
  { rows, sideTables }: Damage,
  then: string,
) {
  if (rows.length === 0) return false;
  const { storage } = settings;
  const keys = [...rows, ...sideTables];
  const uris = (sideTables.length > 0 ? sideTables : rows).map((key) => storage.uriOf(key)).sort();
  const { repairs } = run.findings;
  const node = run.layout.parts(path);
  const count = (repairs.get(node) ?? 0) + 1;
  repairs.set(node, count);
  if (count > MAX_REPAIRS) {
    repairs.delete(node); // a later resume starts counting again
    throw new ScytheError("storage", `${uris[0]} is damaged, after it was made again ${MAX_REPAIRS} times`, {
      hint: "The disk returns other bytes than were written. Copy the run to another disk.",
      details: { keys },
    });
  }
  for (const uri of uris) process.emitWarning(`${uri} is damaged or missing; ${then}`, "ScytheWarning");
  await storage.delete(rows);
  await storage.delete(sideTables);
  return true;
}

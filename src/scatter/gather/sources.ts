import { ScytheError } from "../../errors.ts";
import type { AnyExperiment } from "../../experiment/define.ts";
import { localCopies } from "../../storage/local-copy.ts";
import { listAll, type Storage } from "../../storage/storage.ts";
import type { Duck } from "../../table/duckdb.ts";
import { sideTableNames } from "../part-columns.ts";
import { listParts } from "../plan.ts";
import type { NodeTask, RunInfo, TreeSettings } from "../run-task.ts";
import { childPaths, cover, nodeSize, splits } from "../tree.ts";
import { lostTable, readAllSideTables, type SideTables } from "./side-tables.ts";

/**
 * Local files to merge: rows of succeeded specs, and the side tables by name (`errors` and the record of output files
 * among them).
 */
export interface GatherSources {
  rows: string[];
  tables: Record<string, string[]>;
  /** The files are in order of `sort_index`, so merging needs no sort. */
  ordered: boolean;
}

/** The inputs of one node's merge. */
export interface Merge {
  settings: TreeSettings;
  run: RunInfo;
  task: NodeTask;
  duck: Duck;
  /** Scratch folder, removed afterwards. */
  folder: string;
  /** Its share of this process's memory budget. */
  memoryMb: number;
  /** Part of the names of what this merge writes. */
  attempt: string;
}

/** Finds what a node merges: its own parts, or what its children gathered. */
export async function gatherSources(merge: Merge): Promise<GatherSources> {
  const { run, task } = merge;
  const { recursion, chunk_size } = run.details;
  const size = nodeSize(run.count, task.path);
  return splits(size, task.path.length, recursion, chunk_size ?? 1) ? childSources(merge) : partSources(merge, size);
}

async function childSources({ settings, run, task, duck, folder }: Merge): Promise<GatherSources> {
  const { storage, experiment } = settings;
  const children = childPaths(task.path, run.details.recursion.factor);
  const keys = children.map((path) => run.layout.gathered(path, task.generation));
  const rows = await localCopies(storage, keys, folder);
  const places = (await readAllSideTables(duck, rows)).map((sideTables, i) => ({
    sideTables,
    rows: keys[i]!,
    keyOf: (table: string) => run.layout.gatheredTable(children[i]!, task.generation, table, sideTables.attempt),
  }));
  const isThere = async (key: string) => (await storage.head(key)) !== undefined;
  return { rows, tables: await copySideTables(storage, experiment, places, isThere, folder), ordered: false };
}

async function partSources({ settings, run, task, duck, folder }: Merge, size: number): Promise<GatherSources> {
  const { storage, experiment } = settings;
  const parts = await coveringParts(settings, run, task, size);
  const keys = parts.map((part) => part.key);
  const rows = await localCopies(storage, keys, folder);
  const existing = new Set((await listAll(storage, run.layout.partTables(task.path))).map(({ key }) => key));
  const places = (await readAllSideTables(duck, rows)).map((sideTables, i) => ({
    sideTables,
    rows: keys[i]!,
    keyOf: (table: string) => run.layout.partTable(task.path, parts[i]!, table, sideTables.attempt),
  }));
  const isThere = async (key: string) => existing.has(key);
  return { rows, tables: await copySideTables(storage, experiment, places, isThere, folder), ordered: true };
}

/** Stored rows, the side tables that they name, and the keys of those. */
interface Place {
  rows: string;
  sideTables: SideTables;
  keyOf: (table: string) => string;
}

/** @throws ScytheError `storage` when a table that the rows name is missing */
async function copySideTables(
  storage: Storage,
  experiment: AnyExperiment,
  places: readonly Place[],
  isThere: (key: string) => Promise<boolean>,
  folder: string,
): Promise<GatherSources["tables"]> {
  const tables: GatherSources["tables"] = {};
  for (const name of sideTableNames(experiment)) {
    const wanted = await Promise.all(
      places.map(async ({ rows, sideTables, keyOf }) => {
        if (sideTables.tables && !sideTables.tables.includes(name)) return [];
        const key = keyOf(name);
        if (await isThere(key)) return [key];
        if (sideTables.tables) throw lostTable(storage, key, rows);
        return []; // it may never have existed
      }),
    );
    tables[name] = await localCopies(storage, wanted.flat(), folder);
  }
  return tables;
}

/**
 * The parts that together cover the node once.
 * @throws ScytheError `internal` when they leave a gap or cannot be told apart
 */
async function coveringParts(settings: TreeSettings, run: RunInfo, task: NodeTask, size: number) {
  const parts = await listParts(settings.storage, run.layout, task.path, task.generation);
  const chosen = cover(parts, size);
  if (chosen) return chosen;
  throw new ScytheError("internal", `The parts of ${run.layout.experimentId} do not cover its specs once`, {
    hint: "Resume the run: missing chunks are planned again.",
    details: { path: task.path, parts: parts.map(({ from, to }) => [from, to]) },
  });
}

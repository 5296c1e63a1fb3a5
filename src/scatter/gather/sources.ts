import { ScytheError } from "../../errors.ts";
import type { AnyExperiment } from "../../experiment/define.ts";
import { localCopies } from "../../storage/local-copy.ts";
import { listAll, type Storage } from "../../storage/storage.ts";
import type { Duck } from "../../table/duckdb.ts";
import { sideTables } from "../part-columns.ts";
import { listParts } from "../plan.ts";
import type { NodeTask, RunInfo, TreeSettings } from "../run-task.ts";
import { childPaths, cover, nodeSize, splits } from "../tree.ts";
import { type Beside, besideAll, lostTable } from "./beside.ts";

/** Files to merge, on this machine: good rows, and per table (`errors` and the record of output files among them) its rows. */
export interface GatherSources {
  rows: string[];
  tables: Record<string, string[]>;
  /** The files follow one another in order of `sort_index`, so that merging needs no sorting. */
  ordered: boolean;
}

/** One node's merge: where, of what, with what. */
export interface Merge {
  settings: TreeSettings;
  run: RunInfo;
  task: NodeTask;
  duck: Duck;
  /** Scratch, removed afterwards. */
  folder: string;
  /** What it has of this process's budget. */
  memoryMb: number;
  /** Names what this merge writes. */
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
  const places = (await besideAll(duck, rows)).map((beside, i) => ({
    beside,
    rows: keys[i]!,
    keyOf: (table: string) => run.layout.gatheredTable(children[i]!, task.generation, table, beside.attempt),
  }));
  const isThere = async (key: string) => (await storage.head(key)) !== undefined;
  return { rows, tables: await tablesBeside(storage, experiment, places, isThere, folder), ordered: false };
}

async function partSources({ settings, run, task, duck, folder }: Merge, size: number): Promise<GatherSources> {
  const { storage, experiment } = settings;
  const parts = await chosenParts(settings, run, task, size);
  const keys = parts.map((part) => part.key);
  const rows = await localCopies(storage, keys, folder);
  const existing = new Set((await listAll(storage, run.layout.partTables(task.path))).map(({ key }) => key));
  const places = (await besideAll(duck, rows)).map((beside, i) => ({
    beside,
    rows: keys[i]!,
    keyOf: (table: string) => run.layout.partTable(task.path, parts[i]!, table, beside.attempt),
  }));
  const isThere = async (key: string) => existing.has(key);
  return { rows, tables: await tablesBeside(storage, experiment, places, isThere, folder), ordered: true };
}

/** Good rows, what they say of the tables beside them, and where those lie. */
interface Place {
  rows: string;
  beside: Beside;
  keyOf: (table: string) => string;
}

/** @throws ScytheError `storage` when a table is lost that the rows name */
async function tablesBeside(
  storage: Storage,
  experiment: AnyExperiment,
  places: readonly Place[],
  isThere: (key: string) => Promise<boolean>,
  folder: string,
): Promise<GatherSources["tables"]> {
  const tables: GatherSources["tables"] = {};
  for (const name of sideTables(experiment)) {
    const wanted = await Promise.all(
      places.map(async ({ rows, beside, keyOf }) => {
        if (beside.tables && !beside.tables.includes(name)) return [];
        const key = keyOf(name);
        if (await isThere(key)) return [key];
        if (beside.tables) throw lostTable(storage, key, rows);
        return []; // it may never have been there
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
async function chosenParts(settings: TreeSettings, run: RunInfo, task: NodeTask, size: number) {
  const parts = await listParts(settings.storage, run.layout, task.path, task.generation);
  const chosen = cover(parts, size);
  if (chosen) return chosen;
  throw new ScytheError("internal", `The parts of ${run.layout.experimentId} do not cover its specs once`, {
    hint: "Resume the run: it plans what is missing anew.",
    details: { path: task.path, parts: parts.map(({ from, to }) => [from, to]) },
  });
}

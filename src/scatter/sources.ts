import { ScytheError } from "../errors.ts";
import { listAll } from "../storage/storage.ts";
import type { Duck } from "../table/duckdb.ts";
import { parquetFacts } from "../table/parquet-sql.ts";
import { localCopies } from "./local-copy.ts";
import { sideTables } from "./part-columns.ts";
import { listParts } from "./plan.ts";
import type { NodeTask, RunInfo, TreeSettings } from "./run-task.ts";
import { childPaths, nodeSize, splits } from "./tree.ts";

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

/** The key-value metadata of a part, or of gathered rows, that names the attempt whose table files belong to it. */
export const ATTEMPT_KEY = "scythe_attempt";
/** And the one that names those tables. */
export const TABLES_KEY = "scythe_tables";

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
  const gathered = children.map((path) => run.layout.gathered(path, task.generation));
  const rows = await localCopies(storage, gathered, folder);
  const attempts = await attemptsOf(duck, rows);
  const tables: Record<string, string[]> = {};
  for (const name of sideTables(experiment)) {
    const keys = await Promise.all(
      children.map(async (path, i) => {
        const key = run.layout.gatheredTable(path, task.generation, name, attempts.get(rows[i]!)!);
        return (await storage.head(key)) ? [key] : []; // a child without rows for a table has no file of it
      }),
    );
    tables[name] = await localCopies(storage, keys.flat(), folder);
  }
  return { rows, tables, ordered: false };
}

async function partSources({ settings, run, task, duck, folder }: Merge, size: number): Promise<GatherSources> {
  const { storage, experiment } = settings;
  const parts = await chosenParts(settings, run, task, size);
  const keys = parts.map((part) => part.key);
  const rows = await localCopies(storage, keys, folder);
  const attempts = await attemptsOf(duck, rows);
  const existing = new Set((await listAll(storage, run.layout.partTables(task.path))).map(({ key }) => key));
  const tables: Record<string, string[]> = {};
  for (const name of sideTables(experiment)) {
    const own = parts.map((part, i) => run.layout.partTable(task.path, part, name, attempts.get(rows[i]!)!));
    const there = own.filter((key) => existing.has(key)); // a chunk without rows for a table has no file of it
    tables[name] = await localCopies(storage, there, folder);
  }
  return { rows, tables, ordered: true };
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

/**
 * Picks ranges that follow one another from 0 to `size`. Ranges may overlap when a chunk ran twice and handed back at
 * different places: of those that begin at one position, any may fit, so all are tried (longest first).
 */
export function cover<P extends { from: number; to: number }>(parts: readonly P[], size: number): P[] | undefined {
  const byStart = new Map<number, P[]>();
  for (const part of parts) {
    if (part.to > part.from && part.to <= size) byStart.set(part.from, [...(byStart.get(part.from) ?? []), part]);
  }
  for (const options of byStart.values()) options.sort((a, b) => a.to - b.to); // the last is tried first
  const chosen: P[] = [];
  const dead = new Set<number>();
  for (let at = 0; at < size; ) {
    const next = (byStart.get(at) ?? []).findLast((part) => !dead.has(part.to));
    if (next) {
      chosen.push(next);
      at = next.to;
    } else {
      dead.add(at);
      if (chosen.length === 0) return undefined;
      at = chosen.pop()!.from;
    }
  }
  return chosen;
}

async function attemptsOf(duck: Duck, files: readonly string[]): Promise<Map<string, string>> {
  const rows = await duck.rows(
    `SELECT file_name, decode(value) AS attempt FROM ${parquetFacts("kv_metadata", files)}
     WHERE decode(key) = '${ATTEMPT_KEY}'`,
  );
  return new Map(rows.map((row) => [row.file_name as string, row.attempt as string]));
}

import pMap from "p-map";
import { isScytheError, messageOf } from "../errors.ts";
import { RunLayout } from "../run/layout.ts";
import type { Storage } from "../storage/storage.ts";
import type { Catalog } from "./catalog.ts";
import { type RunOverview, readRunRecord } from "./overview.ts";

/** A run in a list: one that is damaged hides no other. */
export interface ListedRun extends Omit<RunOverview, "status"> {
  status: RunOverview["status"] | "damaged";
  /** What is wrong with a damaged one. */
  problem: string | null;
}

/** An experiment of the config, or a name under which storage has runs. */
export interface ListedExperiment {
  name: string;
  /** In the config; false for a run name, or for an experiment that only storage knows. */
  defined: boolean;
  description: string;
  /** Lowest first. */
  versions: string[];
  /** How many. */
  runs: number;
  latest: ListedRun | null;
}

/** Objects read at the same time. */
const AT_ONCE = 16;

/** The runs with these ids, in their order. */
export async function listedRuns(storage: Storage, ids: readonly string[]): Promise<ListedRun[]> {
  return pMap(ids, (id) => listedRun(storage, RunLayout.parse(id)!), { concurrency: AT_ONCE });
}

/** What storage has under each of these catalogs, in their order. */
export async function listedExperiments(
  storage: Storage,
  catalogs: readonly { catalog: Catalog; defined: boolean; description: string }[],
): Promise<ListedExperiment[]> {
  const entryOf = async ({ catalog, defined, description }: (typeof catalogs)[number]): Promise<ListedExperiment> => {
    const versions = await catalog.listVersions();
    const runs = await catalog.listRuns();
    const latest = runs.length === 0 ? null : await listedRun(storage, RunLayout.parse(runs.at(-1)!)!);
    return { name: catalog.name, defined, description, versions, runs: runs.length, latest };
  };
  return pMap(catalogs, entryOf, { concurrency: AT_ONCE });
}

async function listedRun(storage: Storage, layout: RunLayout): Promise<ListedRun> {
  try {
    return { ...(await readRunRecord(storage, layout)).overview, problem: null };
  } catch (error) {
    if (!isScytheError(error) || error.code !== "storage" || !/damaged|manifest/.test(error.message)) throw error;
    return damaged(layout, messageOf(error));
  }
}

function damaged({ experimentId, id }: RunLayout, problem: string): ListedRun {
  const unknown = { allocated: null, succeeded: null, failed: null, seconds: null };
  const { version, timestamp } = id;
  return { experiment_id: experimentId, version, timestamp, status: "damaged", ...unknown, problem };
}

import { setTimeout as sleep } from "node:timers/promises";
import type { RunEnds } from "./run-ends.ts";
import type { Client } from "./sdk.ts";
import { ROOT_KEY } from "./tasks.ts";

const LOOK_MS = 300;
/** The list of runs lags behind; so many empty answers in a row are believed. */
const SURE = 3;
/** A task that has waited this long is taken out of the queue: perhaps there is no worker to do it. */
const QUEUED_MS = 5_000;

/**
 * Waits until no task of a cancelled run is at work any more: each hears within seconds that its root has ended, and
 * finishes what it has in hand.
 */
export async function drain(client: Client, ends: RunEnds, root: string): Promise<void> {
  const begun = Date.now();
  for (let sure = 0; sure < SURE; await sleep(LOOK_MS)) {
    const open = await openTasks(client, root).catch(() => undefined);
    if (!open) continue;
    sure = open.length === 0 ? sure + 1 : 0;
    const queued = Date.now() - begun < QUEUED_MS ? [] : open.filter(({ status }) => status === "QUEUED");
    const ids = queued.map(({ id }) => id);
    const still = await Promise.all(ids.map(async (id) => ((await ends.ask(id).catch(() => undefined)) ? [] : [id])));
    if (still.flat().length > 0) await client.runs.cancel({ ids: still.flat() }).catch(() => undefined);
  }
}

async function openTasks(client: Client, root: string): Promise<{ id: string; status: string }[]> {
  const { rows } = await client.runs.list({
    additionalMetadata: { [ROOT_KEY]: root },
    statuses: ["QUEUED", "RUNNING"] as never,
    since: new Date(Date.now() - 30 * 24 * 3_600_000),
    onlyTasks: true,
    includePayloads: false,
    limit: 200,
  });
  return (rows ?? []).map(({ metadata, status }) => ({ id: metadata.id, status }));
}

import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../../errors.ts";
import { cancelled, type EngineRun, type EngineStatus, isCancelled, type Json } from "../engine.ts";
import type { Host, RoutedProgram } from "./host.ts";
import { retryUntil } from "./retry-until.ts";
import type { RunEnd, RunEnds } from "./run-ends.ts";
import type { Client } from "./sdk.ts";
import { ROOT_KEY, readError, wasThrown } from "./wire.ts";

const WITHIN_MS = 60_000;
/** Times that a root is queued again when its workers were lost; Hatchet has tried it ten times by then, each time. */
const ROOT_TRIES = 3;
/** Within this a server shows that a run is queued again. */
const SOON_MS = 20_000;

/** A run as the process that started it sees it, or one that found it by its id. */
export class RootRun implements EngineRun {
  readonly id: string;
  readonly #host: Host;
  readonly #program: RoutedProgram;
  readonly #root: Json;
  #status: EngineStatus | undefined;
  #result: Promise<Json> | undefined;
  #cancelling: Promise<void> | undefined;

  constructor(host: Host, program: RoutedProgram, root: Json, id: string) {
    this.#host = host;
    this.#program = program;
    this.#root = root;
    this.id = id;
  }

  readonly result = (): Promise<Json> => {
    this.#result ??= this.#await();
    return this.#result;
  };

  readonly status = async (): Promise<EngineStatus> => {
    if (this.#status) return this.#status;
    const end = await retryUntil("to ask for the run", () => this.#host.ends.ask(this.id), { withinMs: WITHIN_MS });
    return end ? statusOf(end) : "running";
  };

  readonly cancel = (): Promise<void> => {
    this.#cancelling ??= this.#cancel();
    return this.#cancelling;
  };

  async #await(): Promise<Json> {
    for (let lost = 0; ; ) {
      const begun = performance.now();
      const end = await this.#host.ends.wait(this.id, { lookup: () => this.#program.code.lookupRoot(this.#root) });
      if (end.kind === "cancelled" && (await this.#wasNeverTaken(performance.now() - begun))) {
        await this.#queueAgain(`no worker has taken it for ${Math.round(this.#host.options.nodeScheduleMs / 1000)} s`);
        continue;
      }
      if (end.kind === "failed" && !wasThrown(end.error) && !this.#cancelling && ++lost < ROOT_TRIES) {
        await this.#queueAgain(`its workers were lost (${end.error})`);
        continue;
      }
      return this.#settle(end);
    }
  }

  async #settle(end: RunEnd): Promise<Json> {
    this.#status = statusOf(end);
    if (end.kind === "completed") return end.value;
    if (end.kind === "failed") throw readError(end.error);
    await this.#cancelling?.catch(() => undefined);
    if (end.kind === "cancelled") throw cancelled();
    throw new ScytheError("engine", `Hatchet does not know the run ${this.id} any more`, {
      hint: "What is done is in storage: resume the run.",
    });
  }

  /** Only its time tells a root that no worker took from one that somebody cancelled: Hatchet says the same of both. */
  async #wasNeverTaken(waitedMs: number): Promise<boolean> {
    const { client, options } = this.#host;
    const due = options.nodeScheduleMs;
    if (this.#cancelling || waitedMs < due * 0.9 || waitedMs > due * 1.5 + SOON_MS) return false;
    const details = await client.runs.get(this.id).catch(() => undefined);
    return !details?.tasks?.some(({ startedAt }) => startedAt);
  }

  /** Queues the root again, under its id, so that those who wait for the run wait on. */
  async #queueAgain(why: string): Promise<void> {
    const { client, ends, options } = this.#host;
    options.log(`${this.#program.name}: ${why}; the run is queued again`);
    await retryUntil("to queue the run", () => client.runs.replay({ ids: [this.id] }), { withinMs: WITHIN_MS });
    for (let until = performance.now() + SOON_MS; performance.now() < until; await sleep(500)) {
      if (!(await ends.ask(this.id).catch(() => undefined))) return;
    }
  }

  async #cancel(): Promise<void> {
    if (this.#status) return;
    const { client, ends } = this.#host;
    const within = { withinMs: WITHIN_MS };
    await retryUntil("to cancel the run", () => client.runs.cancel({ ids: [this.id] }), within);
    let end: RunEnd | undefined;
    while (!end) {
      end = await retryUntil("to cancel the run", () => ends.ask(this.id), within);
      if (!end) await sleep(100);
    }
    this.#status ??= statusOf(end);
    if (end.kind === "cancelled") await drain(client, ends, this.id);
  }
}

function statusOf(end: RunEnd): EngineStatus {
  if (end.kind === "completed") return "succeeded";
  if (end.kind === "failed" && isCancelled(readError(end.error))) return "cancelled"; // by the program itself
  return end.kind === "cancelled" ? "cancelled" : "failed";
}

const DRAIN_MS = 300;
/** The list of runs lags behind; only so many empty answers in a row are believed. */
const EMPTY_ANSWERS = 3;
/** A task that has waited this long is taken out of the queue: perhaps there is no worker to do it. */
const QUEUED_MS = 5_000;

/** Waits until no task of a cancelled run is at work: each hears within seconds that its root has ended, and finishes. */
async function drain(client: Client, ends: RunEnds, root: string): Promise<void> {
  const begun = Date.now();
  for (let empty = 0; empty < EMPTY_ANSWERS; await sleep(DRAIN_MS)) {
    const open = await openTasks(client, root).catch(() => undefined);
    if (!open) continue;
    empty = open.length === 0 ? empty + 1 : 0;
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

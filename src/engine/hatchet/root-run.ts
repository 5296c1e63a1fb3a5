import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../../errors.ts";
import { cancelled, type EngineRun, type EngineStatus, isCancelled, type Json } from "../engine.ts";
import { drain } from "./drain.ts";
import type { Host, Known } from "./host.ts";
import { patiently } from "./patience.ts";
import type { RunEnd } from "./run-ends.ts";
import { readError, wasThrown } from "./wire-error.ts";

const PATIENCE_MS = 60_000;
/** Times that a root is queued anew when its workers were lost; Hatchet has tried it ten times by then, each time. */
const ROOT_TRIES = 3;
/** Within this a server shows that a run is queued again. */
const SOON_MS = 20_000;

/** A run as the process that started it sees it, or one that found it by its id. */
export class RootRun implements EngineRun {
  readonly id: string;
  readonly #host: Host;
  readonly #program: Known;
  readonly #root: Json;
  #status: EngineStatus | undefined;
  #result: Promise<Json> | undefined;
  #cancelling: Promise<void> | undefined;

  constructor(host: Host, program: Known, root: Json, id: string) {
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
    const end = await patiently("to ask for the run", () => this.#host.ends.ask(this.id), { patienceMs: PATIENCE_MS });
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
      if (end.kind === "cancelled" && (await this.#waitedInVain(performance.now() - begun))) {
        await this.#again(`no worker has taken it for ${Math.round(this.#host.options.nodeScheduleMs / 1000)} s`);
        continue;
      }
      if (end.kind === "failed" && !wasThrown(end.error) && !this.#cancelling && ++lost < ROOT_TRIES) {
        await this.#again(`its workers were lost (${end.error})`);
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

  /** Hatchet tells a root that no worker took by nothing but its time from one that somebody cancelled. */
  async #waitedInVain(waitedMs: number): Promise<boolean> {
    const { client, options } = this.#host;
    const due = options.nodeScheduleMs;
    if (this.#cancelling || waitedMs < due * 0.9 || waitedMs > due * 1.5 + SOON_MS) return false;
    const details = await client.runs.get(this.id).catch(() => undefined);
    return !details?.tasks?.some(({ startedAt }) => startedAt);
  }

  /** Queues the root anew, under its id: whoever waits for the run waits on. */
  async #again(why: string): Promise<void> {
    const { client, ends, options } = this.#host;
    options.log(`${this.#program.name}: ${why}; the run is queued again`);
    await patiently("to queue the run", () => client.runs.replay({ ids: [this.id] }), { patienceMs: PATIENCE_MS });
    for (let until = performance.now() + SOON_MS; performance.now() < until; await sleep(500)) {
      if (!(await ends.ask(this.id).catch(() => undefined))) return;
    }
  }

  async #cancel(): Promise<void> {
    if (this.#status) return;
    const { client, ends } = this.#host;
    const patience = { patienceMs: PATIENCE_MS };
    await patiently("to cancel the run", () => client.runs.cancel({ ids: [this.id] }), patience);
    let end: RunEnd | undefined;
    while (!end) {
      end = await patiently("to cancel the run", () => ends.ask(this.id), patience);
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

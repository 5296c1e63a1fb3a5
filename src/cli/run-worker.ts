import { setTimeout as sleep } from "node:timers/promises";
import type { Overrides } from "../config.ts";
import type { HatchetWorker } from "../engine/hatchet/worker.ts";
import { defaultSlots } from "../engine/in-process/local.ts";
import { parseDuration } from "../experiment/quantities.ts";
import type { Scythe } from "../project.ts";
import { type ActiveHours, parseActiveHours } from "./active-hours.ts";
import { EXIT } from "./exit.ts";
import { serveHealth } from "./health.ts";
import { untilInterrupted } from "./interrupt.ts";
import { jsonText } from "./json-text.ts";
import { withProject } from "./open-project.ts";
import { note, print } from "./output.ts";
import type { WorkerFlags } from "./worker.ts";

const LOOK_MS = 1_000;

/** Serves until a signal, or until there is nothing to do. Returns the exit code. */
export async function runWorker(flags: WorkerFlags): Promise<number> {
  const idleMs = flags.exitWhenIdle === undefined ? undefined : parseDuration(flags.exitWhenIdle, "--exit-when-idle");
  const hours = flags.activeHours === undefined ? undefined : parseActiveHours(flags.activeHours);
  const overrides: Overrides = {
    engine: "hatchet",
    ...(flags.storage === undefined ? {} : { storage: flags.storage }),
    ...(flags.slots === undefined ? {} : { slots: flags.slots }),
  };
  return withProject(overrides, async (project) => {
    const shift = new Shift(project, hours, idleMs, flags.json ?? false);
    const watch = untilInterrupted(() => {
      note("stopping after the specs in hand; the rest is handed back");
      shift.end();
    });
    if (flags.healthPort !== undefined) {
      await serveHealth(flags.healthPort, flags.healthHost ?? "127.0.0.1", () => shift.health());
    }
    try {
      await shift.run();
    } finally {
      watch.stop();
    }
    return EXIT.ok;
  });
}

/** A worker's time: at work within its hours, away outside them, over at a signal or for want of work. */
class Shift {
  readonly #project: Scythe;
  readonly #hours: ActiveHours | undefined;
  readonly #idleMs: number | undefined;
  readonly #over = new AbortController();
  /** Where the first serving is to be told on stdout. */
  #toTell: boolean;
  #worker: HatchetWorker | undefined;

  constructor(project: Scythe, hours: ActiveHours | undefined, idleMs: number | undefined, json: boolean) {
    this.#toTell = json;
    this.#project = project;
    this.#hours = hours;
    this.#idleMs = idleMs;
  }

  end(): void {
    this.#over.abort();
  }

  health() {
    const { workerName: name } = this.#project.settings;
    if (!this.#worker) return { healthy: !this.#over.signal.aborted, name, status: "away", busy: 0 };
    const { connected, busy, idleSince } = this.#worker;
    const idleSeconds = busy > 0 ? 0 : Math.round((Date.now() - idleSince) / 1000);
    return { healthy: connected, name, status: connected ? "serving" : "disconnected", busy, idleSeconds };
  }

  async run(): Promise<void> {
    while (!this.#over.signal.aborted) {
      const now = new Date();
      if (this.#hours && !this.#hours.includes(now)) {
        const ms = this.#hours.untilChange(now);
        note(`away until ${new Date(now.getTime() + ms).toLocaleTimeString()}`);
        await this.#wait(ms);
      } else {
        await this.#serve();
      }
    }
  }

  async #serve(): Promise<void> {
    const { settings, registry } = this.#project;
    const worker = await this.#project.serve();
    this.#worker = worker;
    note(`${settings.workerName} serves ${registry.names.join(", ")}`);
    if (this.#toTell) {
      const { workerName: name, slots = defaultSlots() } = settings;
      await print(`${jsonText({ name, experiments: registry.names, slots, storage: this.#project.storage.uri }, 2)}\n`);
      this.#toTell = false;
    }
    try {
      while (!this.#over.signal.aborted && (this.#hours?.includes(new Date()) ?? true)) {
        if (this.#idleMs !== undefined && worker.busy === 0 && Date.now() - worker.idleSince > this.#idleMs) {
          note("no work; it ends");
          this.end();
        }
        await this.#wait(LOOK_MS);
      }
    } finally {
      await worker.stop();
      this.#worker = undefined;
    }
  }

  /** Longer waits than a timer can are cut short; who waits looks again. */
  async #wait(ms: number): Promise<void> {
    await sleep(Math.min(ms, 3_600_000), undefined, { signal: this.#over.signal }).catch(() => undefined);
  }
}

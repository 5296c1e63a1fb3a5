import { setTimeout as sleep } from "node:timers/promises";
import { type Command, Option } from "commander";
import { type HatchetWorker, type Overrides, parseDuration, type Scythe } from "../../index.ts";
import { type ActiveHours, parseActiveHours } from "../active-hours.ts";
import { EXIT } from "../exit.ts";
import { serveHealth } from "../health.ts";
import { untilInterrupted } from "../interrupt.ts";
import { withProject } from "../open-project.ts";
import { filled, wholeNumber } from "../options.ts";
import { note, print } from "../output.ts";
import { jsonText } from "../view/json-text.ts";

/** What the flags of `scythe worker` say. */
export interface WorkerFlags {
  slots?: number;
  storage?: string;
  exitWhenIdle?: string;
  activeHours?: string;
  healthPort?: number;
  healthHost?: string;
  json?: boolean;
}

const HELP = `
The server is named by HATCHET_CLIENT_TOKEN and HATCHET_CLIENT_HOST_PORT, the worker by SCYTHE_WORKER_NAME, _SLOTS,
_DURABLE_SLOTS, _HIGH_MEMORY, _HIGH_CPU, _HAS_GPU, _DOES_FAN and _DOES_LEAF. SIGTERM and SIGINT stop it: it takes no more
work, finishes running specs and hands back the rest.

Examples:
  scythe worker
  scythe worker --exit-when-idle 10m --health-port 8001
  scythe worker --active-hours 20:00-07:00`;

export function register(command: Command): void {
  command
    .description("Runs specs of the project's experiments for runs with --engine hatchet.")
    .addOption(new Option("--slots <n>", "specs that run at the same time").argParser(wholeNumber(1)))
    .option("--storage <where>", "a folder that all workers share, or a URI, instead of the project's storage", filled)
    .option("--exit-when-idle <time>", "end after this long without work, such as 10m")
    .option("--active-hours <from-to>", "work only in these hours, local time, such as 20:00-07:00")
    .addOption(new Option("--health-port <n>", "answer GET /health on this port").argParser(wholeNumber(1)))
    .option("--health-host <address>", "address of the health endpoint", "127.0.0.1")
    .option("--json", "print one JSON value to stdout when it serves: its name, experiments, slots and storage")
    .addHelpText("after", HELP)
    .action(async (flags: WorkerFlags) => {
      process.exitCode = await runWorker(flags);
    });
}

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
      note("stopping when the running specs have finished; the rest is handed back");
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

/** When a worker serves: within its active hours, until a signal or until it has been idle for too long. */
class Shift {
  readonly #project: Scythe;
  readonly #hours: ActiveHours | undefined;
  readonly #idleMs: number | undefined;
  readonly #over = new AbortController();
  /** Whether the first serving is reported on stdout. */
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
      const { workerName: name } = settings;
      const { slots } = this.#project;
      await print(`${jsonText({ name, experiments: registry.names, slots, storage: this.#project.storage.uri }, 2)}\n`);
      this.#toTell = false;
    }
    try {
      while (!this.#over.signal.aborted && (this.#hours?.includes(new Date()) ?? true)) {
        if (this.#idleMs !== undefined && worker.busy === 0 && Date.now() - worker.idleSince > this.#idleMs) {
          note("no work, so it ends");
          this.end();
        }
        await this.#wait(LOOK_MS);
      }
    } finally {
      await worker.stop();
      this.#worker = undefined;
    }
  }

  /** Waits that are too long for a timer are cut short; the caller checks again. */
  async #wait(ms: number): Promise<void> {
    await sleep(Math.min(ms, 3_600_000), undefined, { signal: this.#over.signal }).catch(() => undefined);
  }
}

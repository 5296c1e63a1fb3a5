import { type Command, Option } from "commander";
import { filled, wholeNumber } from "./options.ts";

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
work, finishes the specs in hand and hands back the rest.

Examples:
  scythe worker
  scythe worker --exit-when-idle 10m --health-port 8001
  scythe worker --active-hours 20:00-07:00`;

export function registerWorker(program: Command): void {
  program
    .command("worker")
    .summary("take work from a Hatchet server until stopped")
    .description("Runs the project's experiments for whoever starts runs with --engine hatchet.")
    .addOption(new Option("--slots <n>", "specs that run at the same time").argParser(wholeNumber(1)))
    .option("--storage <where>", "a folder that all workers share, or a URI, instead of the project's storage", filled)
    .option("--exit-when-idle <time>", "end when there was no work for so long, such as 10m")
    .option("--active-hours <from-to>", "work only at these hours of the machine's time, such as 20:00-07:00")
    .addOption(new Option("--health-port <n>", "answer GET /health on this port").argParser(wholeNumber(1)))
    .option("--health-host <address>", "address of the health endpoint", "127.0.0.1")
    .option("--json", "print one JSON value to stdout when it serves: its name, experiments, slots and storage")
    .addHelpText("after", HELP)
    .action(async (flags: WorkerFlags) => {
      const { runWorker } = await import("./run-worker.ts");
      process.exitCode = await runWorker(flags);
    });
}

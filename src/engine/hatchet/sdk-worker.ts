import { setTimeout as sleep } from "node:timers/promises";
import type { Host } from "./host.ts";
import { patiently } from "./patience.ts";
import type { Client, SdkTask, SdkWorker } from "./sdk.ts";

const STREAM_OPEN_MS = 50;
const NOTICED_MS = 100;
const REGISTER_PATIENCE_MS = 60_000;
/** What a task has done is told for this long to a server that does not answer: it may be restarting. */
const REPORT_PATIENCE_MS = 30 * 60_000;

/** Makes a worker of the SDK that serves these tasks, registered but not started. */
export async function makeSdkWorker(
  host: Host,
  name: string,
  slots: number,
  tasks: readonly SdkTask[],
): Promise<SdkWorker> {
  const { labels } = host.options.worker;
  const made = await withoutSignalHandlers(() =>
    host.client.worker(name, { slots, labels: { ...labels }, handleKill: false }),
  );
  await patiently(
    "to register tasks",
    () => Promise.all(tasks.map((task) => made.registerWorkflows([task as never]))),
    {
      patienceMs: REGISTER_PATIENCE_MS,
      log: host.options.log,
    },
  );
  return made;
}

/** Makes tasks known to the server without serving them: what it does not know, it drops when it is triggered. */
export async function registerTasks(host: Host, tasks: readonly SdkTask[]): Promise<void> {
  if (tasks.length > 0) await makeSdkWorker(host, host.options.worker.name, 1, tasks);
}

/**
 * Gives a worker's first sign of life. The server's scheduler hears of a new worker then, if its stream of tasks is open,
 * and if it is not busy with another new one: otherwise it finds it at its next round, up to 5 s later. The SDK's own
 * first heartbeat comes when a thread has loaded, of all workers of a process at the same time.
 */
export async function announce(client: Client, worker: SdkWorker): Promise<void> {
  await sleep(STREAM_OPEN_MS);
  const { workerId } = worker._internal;
  if (workerId === undefined) return;
  await client.dispatcher.client.heartbeat({ workerId, heartbeatAt: new Date() }).catch(() => undefined);
  await sleep(NOTICED_MS);
}

/** The SDK's worker would end itself at a signal, before we have handed back what it works on. */
async function withoutSignalHandlers<T>(make: () => Promise<T>): Promise<T> {
  const signals = ["SIGTERM", "SIGINT"] as const;
  const before = new Map(signals.map((signal) => [signal, new Set(process.listeners(signal))]));
  const made = await make();
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (!before.get(signal)!.has(listener) && /exitGracefully/.test(String(listener))) process.off(signal, listener);
    }
  }
  return made;
}

/** The SDK gives up after 25 s to say how a task ended, and Hatchet would take it for running until its time limit. */
export function reportPatiently(client: Client, log: (line: string) => void): void {
  const { dispatcher } = client;
  const send = dispatcher.sendStepActionEvent.bind(dispatcher);
  dispatcher.sendStepActionEvent = (event) =>
    patiently("to report a task", () => send(event), { patienceMs: REPORT_PATIENCE_MS, log });
}

import type { Host } from "./host.ts";
import { patiently } from "./patience.ts";
import type { Client, SdkTask, SdkWorker } from "./sdk.ts";

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

import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../../errors.ts";
import { retryUntil } from "./retry-until.ts";
import { type Client, SDK_PACKAGE, type SdkWorker, sdkVersion } from "./sdk.ts";

/*
 * All that reaches into the SDK, past what it documents, or changes what it does. Each hook says why it is there and what
 * would let it go. The SDK may change these insides in any release: package.json pins its minor version, and
 * `assertClientHooks` and `assertWorkerHooks` look for each hook at start, so that a change is an error that names it.
 */

/** Hooks on a client: the name as code would write it, and whether it is there. */
const CLIENT_HOOKS: Readonly<Record<string, (client: Client) => unknown>> = {
  "client.dispatcher.sendStepActionEvent": ({ dispatcher }) => dispatcher.sendStepActionEvent,
  "client.dispatcher.client.heartbeat": ({ dispatcher }) => dispatcher.client.heartbeat,
  "client._listener.client.subscribeToWorkflowRuns": ({ _listener }) => _listener.client.subscribeToWorkflowRuns,
};

/** @throws ScytheError `engine` naming what this release of the SDK lacks */
export function assertClientHooks(client: Client, version = sdkVersion()): void {
  const missing = Object.entries(CLIENT_HOOKS).filter(([, find]) => !isFunction(() => find(client)));
  throwIfMissing(
    missing.map(([name]) => name),
    version,
  );
}

/** @throws ScytheError `engine` naming what this release of the SDK lacks */
export function assertWorkerHooks(worker: SdkWorker, version = sdkVersion()): void {
  throwIfMissing(typeof worker._internal === "object" ? [] : ["worker._internal"], version);
}

function throwIfMissing(missing: readonly string[], version: string): void {
  if (missing.length === 0) return;
  throw new ScytheError(
    "engine",
    `@hatchet-dev/typescript-sdk ${version} has no ${missing.join(", no ")}, which this package builds on`,
    {
      hint: `Install a release it was tried with: npm install ${SDK_PACKAGE}`,
      details: { missing },
    },
  );
}

function isFunction(find: () => unknown): boolean {
  try {
    return typeof find() === "function";
  } catch {
    return false;
  }
}

const REPORT_WITHIN_MS = 30 * 60_000;

/**
 * Hook: how a task's end is reported. The SDK gives up after 8 tries, some 13 s; Hatchet then takes the task for running until its time
 * limit, and a restart of the server would lose finished work.
 * To let it go: a retry of reports whose length can be set (`ClientConfig.retrier` is not used for them).
 */
export function reportUntilHeard({ dispatcher }: Client, log: (line: string) => void): void {
  const send = dispatcher.sendStepActionEvent.bind(dispatcher);
  dispatcher.sendStepActionEvent = (event) =>
    retryUntil("to report a task", () => send(event), { withinMs: REPORT_WITHIN_MS, log });
}

/** A run's end, as the server's stream has it. */
export interface RunEvent {
  workflowRunId: string;
  results: { error?: string | undefined; output?: string | undefined }[];
}

/**
 * Hook: the stream that says which runs have ended. The SDK's own way (`run.result()`) waits for ever when a message is
 * lost, takes a cancelled run for one that succeeded with `{}`, and restarts its stream for ever, which keeps the process
 * alive.
 * To let it go: a wait that takes a signal, asks the server again after silence, and tells a cancelled run as one.
 */
export function subscribeToRunEnds(
  client: Client,
  runs: AsyncIterable<{ workflowRunId: string }>,
  signal: AbortSignal,
): AsyncIterable<RunEvent> {
  return client._listener.client.subscribeToWorkflowRuns(runs, { signal });
}

const STREAM_OPEN_MS = 50;
const NOTICED_MS = 100;

/**
 * Hook: a worker's first heartbeat. The server's scheduler hears of a new worker by it, if the worker's stream of tasks is
 * open and no other new worker keeps it busy; otherwise it finds the worker at its next round, up to 5 s later. The SDK's
 * own comes when a thread has loaded, of all workers of a process at the same time.
 * To let it go: a `waitUntilReady` that resolves when the server may send tasks.
 */
export async function announce(client: Client, worker: SdkWorker): Promise<void> {
  await sleep(STREAM_OPEN_MS);
  const { workerId } = worker._internal;
  if (workerId === undefined) return;
  await client.dispatcher.client.heartbeat({ workerId, heartbeatAt: new Date() }).catch(() => undefined);
  await sleep(NOTICED_MS);
}

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/**
 * Hook: the SDK's handlers of signals, which a worker adds as it is made, also with `handleKill: false`. They would end it
 * at a signal, before we have handed back what it works on.
 * To let it go: a `handleKill: false` that adds none.
 */
export async function makeWorkerWithoutSignalHandlers(make: () => Promise<SdkWorker>): Promise<SdkWorker> {
  const before = new Map(SIGNALS.map((signal) => [signal, new Set(process.listeners(signal))]));
  const making = make(); // adds its handlers at once, so what is new now is the SDK's
  for (const signal of SIGNALS) {
    const added = process.listeners(signal).filter((listener) => !before.get(signal)!.has(listener));
    for (const listener of added) process.off(signal, listener);
  }
  const worker = await making;
  assertWorkerHooks(worker);
  return worker;
}

/** Hook: the end of an embedded engine, which the type of a client does not name. To let it go: that it does. */
export async function stopEmbedded(client: Client): Promise<void> {
  await (client as { stopEmbedded?: () => Promise<void> }).stopEmbedded?.();
}

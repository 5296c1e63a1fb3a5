/**
 * The program of a child process: loads the project, runs chunks of specs, sends their rows to the supervisor. It has
 * no storage and no credentials of its own, and ends with its supervisor.
 */
import { Worker } from "node:worker_threads";
import { loadConfig } from "../config.ts";
import { messageOf } from "../errors.ts";
import { Registry } from "../experiment/registry.ts";
import { platform } from "../platform/current.ts";
import type { ChunkRequest, FromChild, Rows, ToChild } from "./protocol.ts";
import { markWrites } from "./supervisor/spec-marks.ts";
import { runChunk } from "./task/chunk.ts";
import type { SpecExecutor } from "./task/execute.ts";
import { stackOf } from "./task/failure.ts";

// The IPC channel belongs to the supervisor: calls of process.send or process.disconnect in user code must not reach
// it.
const channel = process as unknown as { _send: Send };
type Send = (message: FromChild, handle: undefined, options: undefined, callback: () => void) => boolean;
const send = channel._send.bind(process);
const sendMessage = (message: FromChild): Promise<void> =>
  new Promise((resolve) => send(message, undefined, undefined, () => resolve()));
Object.assign(process, {
  send: undefined,
  _send: undefined,
  disconnect: () => undefined,
  _disconnect: () => undefined,
});

let executor: SpecExecutor | undefined;
const marks = [process.stdout, process.stderr].map((stream) => markWrites(stream, () => executor?.current));
let stopped = false;
let go: () => void = () => undefined;
const fetching = new Map<number, { resolve: (path: string) => void; reject: (error: Error) => void }>();

process.on("disconnect", endGroup);
if (!process.connected) process.exit(0); // the supervisor was killed while this program loaded
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (thrown: unknown) => {
    // Without a running try it comes from an earlier one, whose row is already written.
    if (!executor?.uncaught(thrown))
      process.stderr.write(`scythe: ${event} after its spec ended: ${messageOf(thrown)}\n`);
  });
}
endWithSupervisor();

const registry = await load();
const bytesAtRest = process.memoryUsage.rss();
process.on("message", (message: ToChild) => {
  if (message.type === "stop") stopped = true;
  else if (message.type === "go") go();
  else if (message.type === "fetched") settleFetch(message);
  else void answer(message.request);
});
await sendMessage({ type: "ready" });

async function load(): Promise<Registry> {
  try {
    const { config } = await loadConfig(process.argv[2]!);
    return new Registry(config.experiments);
  } catch (thrown) {
    const stack = thrown instanceof Error ? stackOf(thrown) : "";
    await sendMessage({ type: "broken", message: messageOf(thrown), stack });
    process.exit(1);
  }
}

async function answer(request: ChunkRequest): Promise<void> {
  stopped = false;
  let begun = false;
  try {
    const end = await runChunk(registry.get(request.experiment), request, {
      emit: (rows, removeDirs) => emit(rows, removeDirs, request.confirm),
      sendLogs: (lines) => void sendMessage({ type: "logs", lines }),
      onSpecStart: (sortIndex) => {
        for (const mark of marks) mark(sortIndex);
      },
      fetchUri,
      stopped: () => stopped,
      bytesAtRest,
      onExecutor: (own) => {
        executor = own;
        begun = true;
      },
    });
    for (const mark of marks) mark("end");
    await sendMessage({ type: "end", end });
  } catch (thrown) {
    const stack = thrown instanceof Error ? stackOf(thrown) : "";
    await sendMessage({ type: "failed", message: messageOf(thrown), stack, begun });
  }
}

async function emit(rows: Rows, removeDirs: string[], confirm: boolean): Promise<void> {
  const confirmed = new Promise<void>((resolve) => {
    go = resolve;
  });
  await sendMessage({ type: "rows", rows, removeDirs });
  if (confirm && rows.announced) await confirmed;
}

function fetchUri(uri: string): Promise<string> {
  const id = fetching.size + Math.random();
  const fetched = new Promise<string>((resolve, reject) => fetching.set(id, { resolve, reject }));
  void sendMessage({ type: "fetch", id, uri });
  return fetched;
}

function settleFetch({ id, path, error }: Extract<ToChild, { type: "fetched" }>): void {
  const waiting = fetching.get(id);
  fetching.delete(id);
  if (path !== undefined) waiting?.resolve(path);
  else waiting?.reject(new Error(error));
}

/** Kills this process and everything its specs started: it leads their process group. */
function endGroup(): void {
  try {
    process.kill(platform.killTarget(process.pid), "SIGKILL");
  } finally {
    process.exit(0);
  }
}

/** A function in an endless loop never sees the channel close, so a separate thread watches the supervisor. */
function endWithSupervisor(): void {
  // The supervisor's pid is an argument: process.ppid may already be another process.
  const watch = `
    const supervisor = ${Number(process.argv[3])};
    const isThere = () => { try { return process.kill(supervisor, 0); } catch { return false; } };
    const gone = () => process.ppid !== supervisor || !isThere();
    setInterval(() => { if (gone()) process.kill(${platform.killTarget(process.pid)}, "SIGKILL"); }, 500);`;
  new Worker(watch, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16 } }).unref();
}

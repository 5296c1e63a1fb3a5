import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context, HatchetClient } from "@hatchet-dev/typescript-sdk";
import type { Run, WorkerState } from "./hatchet-model.ts";
import { type HatchetStandIn, type StandInOptions, startHatchetStandIn } from "./hatchet-stand-in.ts";

type Sdk = typeof import("@hatchet-dev/typescript-sdk");
type Input = Record<string, number>;
type Output = { [key: string]: Json };
type Json = undefined | null | boolean | number | string | Json[] | Output;
type Client = HatchetClient;
type Task = ReturnType<typeof taskOf>;
type SdkWorker = Awaited<ReturnType<Client["worker"]>>;
type Work = (input: Input, ctx: Context<unknown>) => Output | Promise<Output>;

const sdk = createRequire(import.meta.url)("@hatchet-dev/typescript-sdk") as Sdk;

const silence = () => undefined;
const logger = { debug: silence, info: silence, green: silence, warn: silence, error: silence, util: silence };

/** The real SDK's client, saying nothing. */
export function connectSdk(env: Record<string, string>): Client {
  return sdk.HatchetClient.init({
    token: env.HATCHET_CLIENT_TOKEN!,
    host_port: env.HATCHET_CLIENT_HOST_PORT!,
    api_url: env.HATCHET_CLIENT_API_URL!,
    tls_config: { tls_strategy: "none" },
    logger: () => logger as never,
  });
}

function taskOf(client: Client, name: string, work: Work, options: object) {
  return client.task({
    name,
    ...options,
    fn: work as (input: object, ctx: Context<unknown>) => Output | Promise<Output>,
  });
}

/** Waits for what will be so soon. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

/** A stand-in with a client, and what tests need to speak of tasks and workers shortly. */
export interface Bench {
  server: HatchetStandIn;
  client: Client;
  task(name: string, work: Work, options?: object): Task;
  register(task: Task): Promise<void>;
  /** Starts a worker, and waits until the server may send it tasks. */
  work(tasks: Task[], slots: number | Record<string, number>, labels?: Record<string, string>): Promise<SdkWorker>;
  /** A worker's way to lose its connection: it does not stop, and does not hear of anything any more. */
  hangUp(worker: SdkWorker): Promise<void>;
  runsOf(task: string): Run[];
  worker(index: number): WorkerState;
  gate(): { open: Promise<Output>; release: (output: Output) => void };
  /** Works until it is told to stop, and then rejects as the SDK wants it. */
  untilAborted(ctx: Context<unknown>, then?: () => void): Promise<Output>;
  close(): Promise<void>;
}

export async function openBench(options: StandInOptions = {}): Promise<Bench> {
  const server = await startHatchetStandIn(options);
  const client = connectSdk(server.env);
  const workers: SdkWorker[] = [];
  const gates: ((output: Output) => void)[] = [];
  process.setMaxListeners(100); // each worker of the SDK listens to two signals, for ever
  return {
    server,
    client,
    task: (name, work, own = {}) => taskOf(client, name, work, own),
    register: async (task) => {
      await client.worker(`registers-${task.name}`, { workflows: [task], handleKill: false });
    },
    work: async (tasks, slots, labels = {}) => {
      const worker = await client.worker(`worker-${workers.length}`, { labels, handleKill: false, workflows: tasks });
      internals(worker).slotConfig = typeof slots === "number" ? { default: slots } : slots; // else only known pools
      const open = () => [...server.workers.values()].filter(({ stream }) => stream?.open).length;
      const before = open();
      workers.push(worker);
      void worker.start().catch(silence);
      await until(() => open() > before);
      return worker;
    },
    hangUp: async (worker) => {
      await internals(worker).listener.unregister();
    },
    runsOf: (task) => [...server.runs.values()].filter((run) => run.task.workflow === task),
    worker: (index) => [...server.workers.values()][index]!,
    gate: () => {
      let release!: (output: Output) => void;
      const open = new Promise<Output>((resolve) => {
        release = resolve;
      });
      gates.push(release);
      return { open, release };
    },
    untilAborted: (ctx, then = silence) =>
      new Promise((_, reject) => {
        gates.push(() => reject(new Error("closing")));
        ctx.abortController.signal.addEventListener("abort", () => {
          then();
          reject(ctx.abortController.signal.reason);
        });
      }),
    close: async () => {
      server.misbehave.calm();
      for (const release of gates) release({});
      await Promise.all(workers.map((worker) => worker.stop().catch(silence)));
      endListening(client);
      await server.close();
    },
  };
}

interface Internals {
  slotConfig: Record<string, number>;
  listener: { unregister(): Promise<unknown> };
}

function internals(worker: SdkWorker): Internals {
  return worker._internal as unknown as Internals;
}

/** The SDK would try for ever to reach the server that told it of ends. */
function endListening(client: Client): void {
  for (const { pooledListener } of [client._listener, client.admin.listenerClient] as unknown as Listening[]) {
    if (!pooledListener) continue;
    pooledListener.init = async () => undefined;
    pooledListener.signal.abort();
  }
}

interface Listening {
  pooledListener?: { init(): Promise<void>; signal: AbortController };
}

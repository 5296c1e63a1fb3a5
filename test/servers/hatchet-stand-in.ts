import { HatchetState } from "./hatchet-engine.ts";
import { grpcServer, tokenFor } from "./hatchet-grpc.ts";
import { Misbehaviour } from "./hatchet-misbehaviour.ts";
import type { Run, WorkerState } from "./hatchet-model.ts";
import { listenOnLoopback, restServer } from "./hatchet-rest.ts";
import { Timers } from "./hatchet-wire.ts";

export interface HatchetStandIn {
  /** What a process that is to use this server needs in its environment. */
  env: Record<string, string>;
  misbehave: Misbehaviour;
  /** What happened, by name: `runs`, `actions`, `timedOut`, `reassigned`, each fault by its rate's name, … */
  counters: Readonly<Record<string, number>>;
  /** Calls by method: gRPC's names, and for REST those of the SDK's generated client. */
  calls: Readonly<Record<string, number>>;
  /** All runs there ever were, by id. */
  runs: ReadonlyMap<string, Run>;
  workers: ReadonlyMap<string, WorkerState>;
  close(): Promise<void>;
}

export interface StandInOptions {
  /** Determines what the rates of `misbehave` hit. */
  seed?: number;
  /** How long a worker's stream may be closed before others get its tasks; 30 s, as on a real server. */
  goneAfterMs?: number;
  /** How long a worker may be without a heartbeat; the SDK gives one every 4 s. */
  silentAfterMs?: number;
  /** A real server looks every second for what had ended before anybody asked; 100 ms here. */
  pollMs?: number;
}

/**
 * A small Hatchet on loopback, in this process: what the SDK's plain tasks need of the server, in memory, and misbehaving
 * on command. Not there: workflows of several tasks, durable tasks, batches, concurrency keys, rate limits, events, crons.
 */
export async function startHatchetStandIn(options: StandInOptions = {}): Promise<HatchetStandIn> {
  const { seed = 1, goneAfterMs = 30_000, silentAfterMs = 30_000, pollMs = 100 } = options;
  const [counters, count] = tally();
  const [calls, called] = tally();
  const timers = new Timers();
  const misbehave = new Misbehaviour(seed, timers, count);
  const state = new HatchetState({ goneAfterMs, silentAfterMs, pollMs }, timers, misbehave, count);
  let token = "";
  const grpc = grpcServer(state, misbehave, () => token, called);
  const rest = restServer(state, misbehave, () => token, called);
  const hostPort = `127.0.0.1:${await grpc.listen("127.0.0.1:0")}`;
  const restUrl = `http://127.0.0.1:${await listenOnLoopback(rest)}`;
  token = tokenFor(state.tenantId, hostPort, restUrl);
  return {
    env: {
      HATCHET_CLIENT_TOKEN: token,
      HATCHET_CLIENT_HOST_PORT: hostPort,
      HATCHET_CLIENT_API_URL: restUrl,
      HATCHET_CLIENT_TLS_STRATEGY: "none",
    },
    misbehave,
    counters,
    calls,
    runs: state.runs,
    workers: state.workers,
    close: async () => {
      timers.clear();
      grpc.forceShutdown();
      rest.closeAllConnections();
      await new Promise<void>((resolve) => rest.close(() => resolve()));
    },
  };
}

function tally(): [Record<string, number>, (what: string) => void] {
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  return [counts, count];
}

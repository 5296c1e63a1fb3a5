import { setTimeout as sleep } from "node:timers/promises";
import { ScytheError } from "../../errors.ts";
import type { Engine, EngineRun, Json, Programs, StartOptions } from "../engine.ts";
import { required } from "./children.ts";
import { Fleet } from "./fleet.ts";
import { type Host, nodeMetadata, programOf, type RoutedProgram } from "./host.ts";
import type { HatchetOptions } from "./options.ts";
import { retryUntil } from "./retry-until.ts";
import { RootRun } from "./root-run.ts";
import { RootWatch } from "./root-watch.ts";
import { RunEnds } from "./run-ends.ts";
import { type Client, connect, isEmbedded as isEmbeddedConnection, refusalOf } from "./sdk.ts";
import { assertClientHooks, reportUntilHeard, stopEmbedded } from "./sdk-hooks.ts";
import type { HatchetWorker } from "./shown.ts";
import { defineTasks, Workload } from "./tasks.ts";
import { type NodeInput, nodeTaskName } from "./wire.ts";
import { registerTasks, serve } from "./worker.ts";

export interface HatchetEngine extends Engine {
  serve(): Promise<HatchetWorker>;
  /** Does in advance what the start of a run needs: loads the SDK, connects, makes the program's tasks known. */
  prepare(program: string): void;
  /** Ends what keeps the process alive. */
  close(): Promise<void>;
}

const START_WITHIN_MS = 30_000;
/** A run that was just started may take a moment to be found. */
const FIND_TIMES = 20;
const FIND_MS = 100;

/** Tree programs as Hatchet tasks that spawn and await their children. Work is done by those who `serve`. */
export function hatchetEngine(programs: Programs, options: HatchetOptions): HatchetEngine {
  let opening: Promise<Host> | undefined;
  let serving: Promise<HatchetWorker> | undefined;
  const registering = new Map<string, Promise<void>>();
  const open = () => {
    opening ??= openHost(programs, options);
    opening.catch(() => {
      opening = undefined;
    });
    return opening;
  };
  const register = (program: RoutedProgram) => {
    const registered = registering.get(program.name) ?? open().then((host) => registerRoot(host, program));
    registering.set(program.name, registered);
    registered.catch(() => registering.delete(program.name)); // the next start tries again
    return registered;
  };
  return {
    name: "hatchet",
    isolation: "process",
    slots: 0,
    start: async (name, root, start = {}) => {
      const program = programOf({ programs, options }, name);
      if (!program) throw new ScytheError("engine", `No program named ${name}`, { details: { program: name } });
      const host = await open();
      // An embedded engine is this process's own: nobody else could serve it.
      if (isEmbedded(options)) {
        serving ??= serve(host).catch((error) => {
          serving = undefined; // the next start tries again
          throw error;
        });
        await serving;
      }
      await register(program);
      return startRun(host, program, root, start);
    },
    prepare: (name) => {
      const program = isEmbedded(options) ? undefined : programOf({ programs, options }, name);
      if (program) register(program).catch(() => undefined); // the start throws it
    },
    attach: async (id) => attachRun(await open(), id),
    serve: async () => serve(await open()),
    close: async () => {
      await (await serving?.catch(() => undefined))?.stop();
      const host = await opening?.catch(() => undefined);
      host?.ends.close();
      if (host) await stopEmbedded(host.client);
    },
  };
}

const isEmbedded = ({ connection }: HatchetOptions) => isEmbeddedConnection(connection);

async function openHost(programs: Programs, options: HatchetOptions): Promise<Host> {
  const client = await connect(options.connection, options.namespace, options.sdkLog ?? (() => undefined));
  assertClientHooks(client);
  reportUntilHeard(client, options.log);
  const ends = new RunEnds(client);
  const before = client.config.namespace ?? "";
  return {
    client,
    programs,
    options,
    ends,
    roots: new RootWatch(ends),
    fleet: new Fleet(client),
    namespace: (name) => `${before}${name}`.toLowerCase(),
  };
}

/** The server drops what it does not know: a run may be started before any worker is there. */
async function registerRoot(host: Host, program: RoutedProgram): Promise<void> {
  const { nodes } = defineTasks({ ...host, programs: { [program.name]: program.code } }, new Workload());
  await registerTasks(host, nodes[0] ?? []);
}

async function startRun(
  host: Host,
  program: RoutedProgram,
  root: Json,
  { metadata = {} }: StartOptions,
): Promise<EngineRun> {
  const input: NodeInput = { node: root, level: 0, root: null, metadata };
  const trigger = async () => {
    const run = await host.client.admin.runWorkflow(nodeTaskName(program.name, 0), input, {
      additionalMetadata: nodeMetadata(host.options, metadata, root, 0),
      desiredWorkerLabels: required(program.route.code),
    });
    return run.runId;
  };
  const id = await retryUntil("to start the run", trigger, { withinMs: START_WITHIN_MS, log: host.options.log });
  void warnWithoutWorkers(host, program);
  return new RootRun(host, program, root, id);
}

/** A run without workers waits; the person who started it should know for what. */
async function warnWithoutWorkers({ fleet, namespace, options }: Host, { name, route }: RoutedProgram): Promise<void> {
  const workers = await fleet.workers().catch(() => undefined);
  const serving = workers?.filter(({ tasks }) => tasks.includes(namespace(nodeTaskName(name, 0)))) ?? [];
  if (!workers || serving.some(({ labels }) => Object.entries(route.code).every(([key, code]) => labels[key] === code)))
    return;
  const why = serving.length === 0 ? "serves this experiment" : "that serves it has this code and storage";
  options.log(
    `No worker on the Hatchet server ${why}. The run waits; start one with \`scythe worker\` in the project.`,
  );
}

async function attachRun(host: Host, id: string): Promise<EngineRun> {
  const details = await findRun(host.client, id);
  const input = details?.input as Partial<NodeInput> | undefined;
  const task = Object.keys(details?.taskRuns ?? {})[0];
  const name = Object.keys(host.programs).find((own) => task?.toLowerCase() === nodeTaskName(own, 0).toLowerCase());
  const program = name === undefined ? undefined : programOf(host, name);
  if (program && input?.node !== undefined) return new RootRun(host, program, input.node, id);
  throw new ScytheError("engine", `Hatchet has no run ${id} of this project`, {
    hint: "Check the id, and that HATCHET_CLIENT_TOKEN is for the tenant in which the run was started.",
  });
}

async function findRun(client: Client, id: string) {
  for (let tries = 1; ; tries++) {
    try {
      return await retryUntil("to find the run", () => client.runs.getDetails(id), { withinMs: START_WITHIN_MS });
    } catch (error) {
      if (refusalOf(error) === "INVALID_ARGUMENT") return undefined;
      if (refusalOf(error) !== "NOT_FOUND") throw error;
      if (tries >= FIND_TIMES) return undefined;
      await sleep(FIND_MS);
    }
  }
}

import { randomUUID } from "node:crypto";
import { ScytheError } from "../../errors.ts";
import {
  type Engine,
  type EngineRun,
  type EngineStatus,
  isCancelled,
  type Json,
  type Programs,
  type Worker,
} from "../engine.ts";
import { SlotPool } from "../slot-pool.ts";
import { TreeWalk } from "./tree-walk.ts";

interface Options {
  name: string;
  isolation: Engine["isolation"];
  slots: number;
}

/** The engine of both `inline` and `local`: a tree walked by this process. What it forgets, storage remembers. */
export function inProcessEngine(programs: Programs, options: Options): Engine {
  const runs = new Map<string, EngineRun>();
  const slots = new SlotPool(options.slots);
  return {
    name: options.name,
    isolation: options.isolation,
    slots: options.slots,
    start: async (program, root) => {
      const code = programs[program];
      if (!code) throw new ScytheError("engine", `No program named ${program}`, { details: { program } });
      const run = startRun((signal) => new TreeWalk(code, slots, signal).run(root), options.name);
      runs.set(run.id, run);
      return run;
    },
    attach: async (id) => {
      const run = runs.get(id);
      if (run) return run;
      throw new ScytheError("engine", `Run ${id} of the ${options.name} engine is not in this process`, {
        hint: "Such a run lives and dies with the process that started it. Watch it with `scythe watch`.",
      });
    },
    serve: async (): Promise<Worker> => {
      throw new ScytheError("engine", `The ${options.name} engine needs no workers`, {
        hint: "It runs its leaves itself, on the machine where the run was started.",
      });
    },
  };
}

function startRun(walk: (signal: AbortSignal) => Promise<Json>, engine: string): EngineRun {
  const stop = new AbortController();
  let status: EngineStatus = "running";
  const result = walk(stop.signal).then(
    (value) => {
      status = "succeeded";
      return value;
    },
    (error: unknown) => {
      status = stop.signal.aborted || isCancelled(error) ? "cancelled" : "failed";
      throw error;
    },
  );
  result.catch(() => undefined); // thrown to those who ask for the result
  return {
    id: `${engine}-${randomUUID()}`,
    result: () => result,
    status: async () => status,
    cancel: async () => {
      stop.abort();
      await result.catch(() => undefined);
    },
  };
}

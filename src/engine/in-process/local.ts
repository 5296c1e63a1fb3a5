import { availableParallelism } from "node:os";
import { ScytheError } from "../../errors.ts";
import type { Engine, Programs } from "../engine.ts";
import { inProcessEngine } from "./in-process.ts";

/** Leaves in child processes on this machine, `slots` at a time. */
export function localEngine(programs: Programs, options: { slots?: number } = {}): Engine {
  const slots = options.slots ?? defaultSlots();
  if (!Number.isInteger(slots) || slots < 1 || slots > 1024) {
    throw new ScytheError("invalid_input", `slots must be a whole number from 1 to 1024, not ${slots}`);
  }
  return inProcessEngine(programs, { name: "local", isolation: "process", slots });
}

/** As in Python Scythe: every processor below eight, else one is left to the rest of the machine. */
export function defaultSlots(cpus = availableParallelism()): number {
  return cpus < 8 ? cpus : cpus - 1;
}

import type { Json, Programs, TreeProgram } from "../engine.ts";
import type { Fleet } from "./fleet.ts";
import type { HatchetOptions, ProgramRoute } from "./options.ts";
import type { RootWatch } from "./root-watch.ts";
import type { RunEnds } from "./run-ends.ts";
import type { Client } from "./sdk.ts";
import type { Metadata } from "./tasks.ts";

/** What the tasks of this process share. */
export interface Host {
  client: Client;
  programs: Programs;
  options: HatchetOptions;
  ends: RunEnds;
  roots: RootWatch;
  fleet: Fleet;
  /** A task's name as the server knows it. */
  namespace: (name: string) => string;
}

export interface Known {
  name: string;
  code: TreeProgram;
  route: ProgramRoute;
}

/** A program with its way through Hatchet. */
export function programOf({ programs, options }: Pick<Host, "programs" | "options">, name: string): Known | undefined {
  const code = programs[name];
  const route = options.routes[name];
  return code && route && { name, code, route };
}

/** Labels that a worker must have to run a program's leaves. */
export function leafLabels({ code, requires }: ProgramRoute): Record<string, string> {
  return { ...code, ...requires };
}

/** What the dashboard shows of a task. */
export function metadataOf(options: HatchetOptions, inherited: Metadata, payload: Json, level: number): Metadata {
  return { ...inherited, level: String(level), ...options.describe?.(payload) };
}

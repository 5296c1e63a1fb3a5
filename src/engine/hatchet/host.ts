import type { Json, Programs, TreeProgram } from "../engine.ts";
import type { Fleet } from "./fleet.ts";
import type { HatchetOptions, ProgramRoute } from "./options.ts";
import type { RootWatch } from "./root-watch.ts";
import type { RunEnds } from "./run-ends.ts";
import type { Client } from "./sdk.ts";
import type { Metadata } from "./wire.ts";

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

/** A program and where its tasks may run. */
export interface RoutedProgram {
  name: string;
  code: TreeProgram;
  route: ProgramRoute;
}

/** Undefined for a program that this project does not have. */
export function programOf(
  { programs, options }: Pick<Host, "programs" | "options">,
  name: string,
): RoutedProgram | undefined {
  const code = programs[name];
  const route = options.routes[name];
  return code && route && { name, code, route };
}

/** Labels that a worker must have to run a program's leaves. */
export function leafLabels({ code, requires }: ProgramRoute): Record<string, string> {
  return { ...code, ...requires };
}

export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}

/** What the dashboard shows of a node. */
export function nodeMetadata({ describe }: HatchetOptions, inherited: Metadata, node: Json, level: number): Metadata {
  return { ...inherited, level: String(level), ...describe?.node(node) };
}

/** What the dashboard shows of a leaf, which has the level of its node. */
export function leafMetadata({ describe }: HatchetOptions, inherited: Metadata, leaf: Json, level: number): Metadata {
  return { ...inherited, level: String(level), ...describe?.leaf(leaf) };
}

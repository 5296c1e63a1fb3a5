import { createHash } from "node:crypto";
import type { Json } from "../engine.ts";
import { DEEPEST_LEVEL } from "./options.ts";

/** Shown in the dashboard, and filtered by. */
export type Metadata = Record<string, string>;

/** The metadata key under which all tasks of a run name their root: how they are found to be stopped. */
export const ROOT_KEY = "scythe_root";

export interface NodeInput {
  node: Json;
  level: number;
  /** Run id of the root's task; the root itself knows it from its context. */
  root: string | null;
  metadata: Metadata;
}

export interface LeafInput {
  leaf: Json;
  level: number;
  /** Tries of this leaf, this one included. */
  attempt: number;
  root: string;
  metadata: Metadata;
}

/** A task's output must be an object. */
export interface Output {
  value: Json;
}

export function leafTaskName(program: string): string {
  return `scythe_${program}_leaf`;
}

/** One task name a level, so that each level has slots of its own: a parent that waits takes none from its children. */
export function nodeTaskName(program: string, level: number): string {
  return `scythe_${program}_node${Math.min(level, DEEPEST_LEVEL)}`;
}

/**
 * Hatchet gives a child of a key that its parent has spawned before back as it is, also after the parent's worker died.
 * So a key names what is asked for (a payload), which asking it is, and the try: a try that failed must not answer for
 * the next.
 */
export function childKey(payload: Json, asked: number, tries: number): string {
  const hash = createHash("sha256").update(JSON.stringify(payload)).digest("base64url").slice(0, 22);
  return `${hash}.${asked}.${tries}`;
}

/** As `1h2m3s`-like durations go, Hatchet takes whole seconds. */
export function duration(ms: number): `${number}s` {
  return `${Math.max(1, Math.ceil(ms / 1000))}s`;
}

import { createHash } from "node:crypto";
import { type ErrorCode, isScytheError, messageOf, ScytheError } from "../../errors.ts";
import type { Json } from "../engine.ts";
import { DEEPEST_LEVEL } from "./options.ts";

/*
 * What crosses Hatchet: names of tasks, their inputs and outputs, and errors. Work that an earlier version has queued must
 * still be understood, so the names stay.
 */

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
 * Where a parent has spawned a child with a key, Hatchet returns that child when the key comes again, also after the
 * parent's worker died. So a key names the payload, how often it was asked for before, and the try: a try that failed must
 * not answer for the next.
 */
export function childKey(payload: Json, asked: number, tries: number): string {
  const hash = createHash("sha256").update(JSON.stringify(payload)).digest("base64url").slice(0, 22);
  return `${hash}.${asked}.${tries}`;
}

/** As `1h2m3s`-like durations go, Hatchet takes whole seconds. */
export function duration(ms: number): `${number}s` {
  return `${Math.max(1, Math.ceil(ms / 1000))}s`;
}

/** An error as it crosses Hatchet, which keeps a message and a stack: the rest travels in the stack's last line. */
interface WireError {
  name: string;
  message: string;
  stack?: string;
  code?: ErrorCode;
  hint?: string;
  details?: Record<string, unknown>;
  cause?: WireError;
}

/** In the message of a task that its worker gave back, because it stops. */
export const HANDED_BACK = "scythe handed the task back";

const ERROR_MARK = "\n#scythe ";
/** Characters of a stack, and of a message: an error must fit into a message of gRPC. */
const MAX_ERROR_TEXT = 4_096;
const MAX_CAUSES = 5;

/** The stack to send with an error, so that {@link readError} finds the error in it again. */
export function stackWithError(error: unknown): string {
  const wire = toWire(error, 0);
  return `${wire.stack ?? wire.message}${ERROR_MARK}${JSON.stringify({ ...wire, stack: undefined })}`;
}

/** What Hatchet says of a failed task → the error that was thrown there; also of errors that were not ours. */
export function readError(text: string): Error {
  const sent = parse(text) as { message?: unknown; stack?: unknown } | undefined;
  const message = typeof sent?.message === "string" ? sent.message : text || "the task failed without a message";
  const stack = typeof sent?.stack === "string" ? sent.stack : "";
  const at = stack.lastIndexOf(ERROR_MARK);
  const wire = at < 0 ? undefined : (parse(stack.slice(at + ERROR_MARK.length)) as WireError | undefined);
  return wire ? fromWire({ ...wire, stack: stack.slice(0, at) }) : fromWire({ name: "Error", message, stack });
}

/** Whether a task's code threw; otherwise its workers died too often, or its time limit passed. */
export function wasThrown(text: string): boolean {
  return text.includes("#scythe {");
}

function toWire(error: unknown, depth: number): WireError {
  const wire: WireError = { name: "Error", message: messageOf(error).slice(0, MAX_ERROR_TEXT) };
  if (!(error instanceof Error)) return wire;
  wire.name = error.name;
  if (error.stack && depth === 0) wire.stack = error.stack.slice(0, MAX_ERROR_TEXT);
  if (isScytheError(error)) {
    wire.code = error.code;
    if (error.hint !== undefined) wire.hint = error.hint;
    if (JSON.stringify(error.details).length < MAX_ERROR_TEXT) wire.details = error.details;
  }
  if (error.cause !== undefined && depth < MAX_CAUSES) wire.cause = toWire(error.cause, depth + 1);
  return wire;
}

function fromWire({ name, message, stack, code, hint, details, cause }: WireError): Error {
  const inner = cause === undefined ? {} : { cause: fromWire(cause) };
  const error = code
    ? new ScytheError(code, message, {
        ...inner,
        ...(hint === undefined ? {} : { hint }),
        ...(details ? { details } : {}),
      })
    : Object.assign(new Error(message, inner), { name });
  if (stack) error.stack = stack;
  return error;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

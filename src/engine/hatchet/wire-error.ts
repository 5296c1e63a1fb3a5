import { type ErrorCode, isScytheError, messageOf, ScytheError } from "../../errors.ts";

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

/** In the message of a task that was not run: its worker stops. */
export const HANDED_BACK = "scythe handed the task back";

const MARK = "\n#scythe ";
/** Of a stack, and of a message: an error must not outgrow a message of gRPC. */
const LONGEST = 4_096;
const DEEPEST = 5;

/** The stack to send with an error, so that {@link readError} finds the error in it again. */
export function stackWithError(error: unknown): string {
  const wire = toWire(error, 0);
  return `${wire.stack ?? wire.message}${MARK}${JSON.stringify({ ...wire, stack: undefined })}`;
}

/** What Hatchet tells of a failed task → the error that was thrown there; also of errors that were not ours. */
export function readError(text: string): Error {
  const said = parse(text) as { message?: unknown; stack?: unknown } | undefined;
  const message = typeof said?.message === "string" ? said.message : text || "the task failed without a word";
  const stack = typeof said?.stack === "string" ? said.stack : "";
  const at = stack.lastIndexOf(MARK);
  const wire = at < 0 ? undefined : (parse(stack.slice(at + MARK.length)) as WireError | undefined);
  return wire ? fromWire({ ...wire, stack: stack.slice(0, at) }) : fromWire({ name: "Error", message, stack });
}

/** Whether a task's code threw; otherwise its workers died too often, or it overran its time limit. */
export function wasThrown(text: string): boolean {
  return text.includes("#scythe {");
}

function toWire(error: unknown, depth: number): WireError {
  const wire: WireError = { name: "Error", message: messageOf(error).slice(0, LONGEST) };
  if (!(error instanceof Error)) return wire;
  wire.name = error.name;
  if (error.stack && depth === 0) wire.stack = error.stack.slice(0, LONGEST);
  if (isScytheError(error)) {
    wire.code = error.code;
    if (error.hint !== undefined) wire.hint = error.hint;
    if (JSON.stringify(error.details).length < LONGEST) wire.details = error.details;
  }
  if (error.cause !== undefined && depth < DEEPEST) wire.cause = toWire(error.cause, depth + 1);
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

import { messageOf, ScytheError } from "../errors.ts";
import { asTyped } from "./hints.ts";
import { plainText } from "./view/plain-text.ts";

/** The reader of stdout has closed it (`| head`), so the command ends quietly. */
export class ClosedPipe extends Error {}

let failed: Error | undefined;

/** Must be called once, before anything is printed: otherwise a failed write is an unhandled event. */
export function keepOutputErrors(): void {
  process.stdout.on("error", (error) => {
    failed ??= error;
  });
  process.stderr.on("error", () => undefined); // there is nowhere left to report it
}

/** Why some of what was printed did not reach stdout; undefined when it did, or its reader has closed it. */
export function outputProblem(): ScytheError | undefined {
  const problem = failed && asProblem(failed);
  return problem instanceof ClosedPipe ? undefined : problem;
}

/**
 * Text or JSON, to stdout: names in it come from anywhere, and must not control the terminal.
 * @throws ClosedPipe, ScytheError `storage` when it cannot be written: a full disk, say
 */
export function print(text: string): Promise<void> {
  return write(plainText(text));
}

/** Data that must arrive as it is, to stdout, unless that is a terminal. @throws ClosedPipe */
export function printData(text: string): Promise<void> {
  return process.stdout.isTTY ? print(text) : write(text);
}

function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) reject(asProblem(error));
      else resolve();
    });
  });
}

/** A line for the user, to stderr. */
export function note(line: string): void {
  process.stderr.write(`${plainText(asTyped(line))}\n`);
}

/** Columns of the terminal that stdout is, or undefined when it is none: then nothing is cut. */
export function outputWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns || 80 : undefined;
}

function asProblem(error: NodeJS.ErrnoException): ClosedPipe | ScytheError {
  if (error.code === "EPIPE") return new ClosedPipe();
  return new ScytheError("storage", `Could not write to stdout: ${messageOf(error)}`, {
    hint: "Free some space where the output goes, or send it elsewhere.",
    cause: error,
  });
}

/** The reader of stdout has gone (`| head`): nobody is left to tell, so the command ends quietly. */
export class ClosedPipe extends Error {}

/** Must be called once, before anything is printed: a closed pipe is an event without an owner otherwise. */
export function tolerateClosedPipes(): void {
  process.stdout.on("error", ignoreClosed);
  process.stderr.on("error", ignoreClosed);
}

/** Data, to stdout. @throws ClosedPipe */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (!error) resolve();
      else reject((error as NodeJS.ErrnoException).code === "EPIPE" ? new ClosedPipe() : error);
    });
  });
}

/** A line for the person who watches, to stderr. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Columns of the terminal that stdout is, or undefined when it is none: then nothing is cut. */
export function outputWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns || 80 : undefined;
}

function ignoreClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

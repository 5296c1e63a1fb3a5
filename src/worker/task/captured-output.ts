import { AsyncLocalStorage } from "node:async_hooks";

type OutputSink = (source: "stdout" | "stderr", text: string) => void;

/** The sink of the running chunk, in its own and all following async work. */
const currentSink = new AsyncLocalStorage<OutputSink>();
let captures = 0;
let release: () => void = () => undefined;

/**
 * Passes what `work` (and nothing else) prints to stdout and stderr to `sink`: this process's own output is the
 * command's. Output of child processes straight to the terminal is not captured.
 */
export async function captureOutput<T>(sink: OutputSink, work: () => Promise<T>): Promise<T> {
  if (captures++ === 0) release = patch();
  try {
    return await currentSink.run(sink, work);
  } finally {
    if (--captures === 0) release();
  }
}

/** Runs our own work without capture, in the middle of a spec's. */
export function withoutCapture<T>(work: () => T): T {
  return currentSink.exit(work);
}

function patch(): () => void {
  const undo = (["stdout", "stderr"] as const).map((source) => {
    const stream = process[source];
    const { write } = stream;
    const ours = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      const sink = currentSink.getStore();
      if (!sink) return Reflect.apply(write, stream, [chunk, ...rest]);
      sink(source, typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
      const written = rest.find((argument) => typeof argument === "function") as (() => void) | undefined;
      if (written) process.nextTick(written);
      return true;
    }) as typeof write;
    stream.write = ours;
    return () => {
      if (stream.write === ours) stream.write = write; // otherwise other code has patched it since
    };
  });
  return () => {
    for (const one of undo) one();
  };
}

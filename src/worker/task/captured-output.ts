import { AsyncLocalStorage } from "node:async_hooks";

type Say = (source: "stdout" | "stderr", text: string) => void;

/** Whoever is running specs, in what they do and in all that follows from it. */
const speaking = new AsyncLocalStorage<Say>();
let captures = 0;
let release: () => void = () => undefined;

/**
 * Gives `say` what `work`, and nothing beside it, prints to this process's stdout and stderr: those are the command's own.
 * What other programs print straight to the terminal is out of reach.
 */
export async function capturingOutput<T>(say: Say, work: () => Promise<T>): Promise<T> {
  if (captures++ === 0) release = patch();
  try {
    return await speaking.run(say, work);
  } finally {
    if (--captures === 0) release();
  }
}

/** Work of ours amid that of specs. */
export function notCaptured<T>(work: () => T): T {
  return speaking.exit(work);
}

function patch(): () => void {
  const undo = (["stdout", "stderr"] as const).map((source) => {
    const stream = process[source];
    const { write } = stream;
    const ours = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      const say = speaking.getStore();
      if (!say) return Reflect.apply(write, stream, [chunk, ...rest]);
      say(source, typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
      const written = rest.find((argument) => typeof argument === "function") as (() => void) | undefined;
      if (written) process.nextTick(written);
      return true;
    }) as typeof write;
    stream.write = ours;
    return () => {
      if (stream.write === ours) stream.write = write; // else somebody has put theirs over it
    };
  });
  return () => {
    for (const one of undo) one();
  };
}

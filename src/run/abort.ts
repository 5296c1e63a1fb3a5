import { ScytheError } from "../errors.ts";

/** @throws ScytheError `cancelled` */
export function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

function cancelled({ reason }: AbortSignal): ScytheError {
  return new ScytheError("cancelled", "The allocation was cancelled; nothing was stored", { cause: reason });
}

/** Yields items until the signal aborts, also while it waits for the next one. */
export function untilAborted<T>(
  items: AsyncIterable<T> | Iterable<T>,
  signal: AbortSignal | undefined,
): AsyncIterable<T> | Iterable<T> {
  return signal && Symbol.asyncIterator in items ? abortable(items, signal) : items;
}

async function* abortable<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  let stop: () => void = () => undefined;
  const onAbort = () => stop();
  signal.addEventListener("abort", onAbort);
  try {
    for (;;) {
      // not Promise.race: each race would stay with the one promise that never settles
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        stop = () => reject(cancelled(signal));
        if (signal.aborted) stop();
        else iterator.next().then(resolve, reject);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // a stalled source may answer later, so this is not awaited
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

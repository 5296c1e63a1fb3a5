import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, ScytheError } from "../../errors.ts";
import { refusalOf } from "./sdk.ts";

const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 10_000;

export interface RetryOptions {
  /** How long to go on asking. */
  withinMs: number;
  signal?: AbortSignal;
  log?: (line: string) => void;
}

/**
 * Asks the server until it answers, for it may be restarting. (The SDK's own retrying ends after 8 tries, some 13 s, and asks again also
 * what was refused.)
 * @throws at once what the server refuses; ScytheError `engine` after `withinMs`; the signal's reason
 */
export async function retryUntil<T>(what: string, ask: () => Promise<T>, options: RetryOptions): Promise<T> {
  const begun = performance.now();
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (refusalOf(error)) throw error;
      options.signal?.throwIfAborted();
      if (performance.now() - begun + pause > options.withinMs) throw unreachable(what, error);
      if (pause >= FIRST_PAUSE_MS * 8) {
        options.log?.(`Hatchet does not answer (${what}): ${messageOf(error)}; asking again`);
      }
    }
    await sleep(pause * (0.5 + Math.random() / 2), undefined, options.signal ? { signal: options.signal } : {});
  }
}

function unreachable(what: string, cause: unknown): ScytheError {
  return new ScytheError("engine", `Hatchet could not be reached (${what}): ${messageOf(cause)}`, {
    hint: "Check that the server runs and HATCHET_CLIENT_HOST_PORT and HATCHET_CLIENT_API_URL name it; `scythe doctor` tries them.",
    cause,
  });
}

import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, ScytheError } from "../../errors.ts";
import { refusalOf } from "./sdk.ts";

const FIRST_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Asks the server until it answers, for it may be restarting.
 * @throws at once what the server refuses; ScytheError `engine` after `patienceMs`; the signal's reason
 */
export async function patiently<T>(
  what: string,
  ask: () => Promise<T>,
  options: { patienceMs: number; signal?: AbortSignal; log?: (line: string) => void },
): Promise<T> {
  const begun = performance.now();
  for (let pause = FIRST_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (refusalOf(error)) throw error;
      options.signal?.throwIfAborted();
      if (performance.now() - begun + pause > options.patienceMs) throw unreachable(what, error);
      if (pause >= FIRST_MS * 8) options.log?.(`Hatchet does not answer (${what}): ${messageOf(error)}; asking again`);
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

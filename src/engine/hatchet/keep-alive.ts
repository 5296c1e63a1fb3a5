import type { SdkContext } from "./sdk.ts";
import { duration } from "./tasks.ts";

/** A task's time limit grows by what has passed of it, this often within it. */
const TIMES = 3;

export interface KeptAlive {
  /** A sign of life. */
  heard(): void;
  stop(): void;
}

/**
 * Keeps Hatchet from ending a task that works: its limit is for tasks whose worker hangs. Without a sign of life for
 * `silenceMs` it is left to its limit.
 */
export function keepAlive(sdk: SdkContext, limitMs: number, silenceMs = Number.POSITIVE_INFINITY): KeptAlive {
  let last = performance.now();
  const step = Math.max(1_000, Math.floor(limitMs / TIMES));
  const timer = setInterval(() => {
    if (performance.now() - last > silenceMs) return;
    // Hatchet adds what it is given to the limit. What fails now is made up for next time.
    sdk.refreshTimeout(duration(step)).catch(() => undefined);
  }, step).unref();
  return {
    heard: () => {
      last = performance.now();
    },
    stop: () => clearInterval(timer),
  };
}

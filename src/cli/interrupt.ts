import { platform } from "../platform/current.ts";
import { EXIT } from "./exit.ts";

/**
 * `npx` passes on a Ctrl-C that the terminal has sent to every process already: two signals within this time are one.
 */
const ONE_PRESS_MS = 500;

export interface InterruptWatch {
  readonly interrupted: boolean;
  stop(): void;
}

/** Calls `first` at the first signal; the second one calls the last note and ends the process and its children at once. */
export function untilInterrupted(first: () => void, lastWord: () => void = () => undefined): InterruptWatch {
  let firstAt: number | undefined;
  const onSignal = () => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      first();
    } else if (performance.now() - firstAt > ONE_PRESS_MS) {
      lastWord();
      process.exit(EXIT.interrupted);
    }
  };
  for (const signal of platform.interruptions) process.on(signal, onSignal);
  return {
    get interrupted() {
      return firstAt !== undefined;
    },
    stop: () => {
      for (const signal of platform.interruptions) process.off(signal, onSignal);
    },
  };
}

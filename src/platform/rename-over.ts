import { rename } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { platform } from "./current.ts";

/** Longer than a reader or a virus scanner has a file open. */
const GIVE_UP_MS = 5_000;
const LONGEST_PAUSE_MS = 50;

/** Renames a file over another, again where that fails because somebody has the other open just now. */
export async function renameOver(from: string, to: string, { fileOpen } = platform): Promise<void> {
  const begun = performance.now();
  for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await rename(from, to);
    } catch (error) {
      const isOpen = fileOpen.includes((error as NodeJS.ErrnoException).code ?? "");
      if (!isOpen || performance.now() - begun > GIVE_UP_MS) throw error;
      await sleep(pause);
    }
  }
}

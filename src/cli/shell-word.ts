import { platform } from "../platform/current.ts";

/** A word of a command that is shown to be typed. */
export function shellWord(text: string): string {
  return platform.shellWord(text);
}

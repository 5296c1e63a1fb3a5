import { createHash } from "node:crypto";
import { ScytheError } from "../errors.ts";

const PREFIX = "# sha256 of what follows: ";

/** `whole`: the text is as it was written; `broken`: it is not; `none`: written without a seal (Python Scythe does). */
export type SealState = "whole" | "broken" | "none";

/** A text whose first line is a YAML comment with the hash of the rest, so that damage shows without another file. */
export function seal(text: string): string {
  return `${PREFIX}${sha256Of(text)}\n${text}`;
}

/** Looked for at the top, where no truncation can take it away unseen. */
export function sealState(text: string): SealState {
  if (text.startsWith(PREFIX)) return seal(unsealed(text)) === text ? "whole" : "broken";
  return /^(---|[A-Za-z_]+:)/.test(text) ? "none" : "broken"; // a damaged seal is no key of YAML either
}

/** The text below its seal. */
export function unsealed(text: string): string {
  return text.startsWith(PREFIX) ? text.slice(text.indexOf("\n") + 1) : text;
}

export function sha256Of(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

export function brokenSeal(uri: string): ScytheError {
  return new ScytheError("storage", `${uri} is damaged: its SHA-256 is not the one in its first line`, {
    hint: "Restore it from a copy of the run, if there is one.",
    details: { uri },
  });
}

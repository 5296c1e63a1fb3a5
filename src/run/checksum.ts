import { createHash } from "node:crypto";
import { ScytheError } from "../errors.ts";

const PREFIX = "# sha256 of what follows: ";

/**
 * `valid`: unchanged since it was written. `damaged`: changed. `none`: written without a checksum, as Python Scythe
 * does.
 */
export type ChecksumState = "valid" | "damaged" | "none";

/** Puts a YAML comment with the SHA-256 of the text before it, so that damage shows without another file. */
export function addChecksum(text: string): string {
  return `${PREFIX}${sha256Of(text)}\n${text}`;
}

/** The checksum is the first line, so no truncation can remove it unnoticed. */
export function checksumState(text: string): ChecksumState {
  if (text.startsWith(PREFIX)) return addChecksum(withoutChecksum(text)) === text ? "valid" : "damaged";
  return /^(---|[A-Za-z_]+:)/.test(text) ? "none" : "damaged"; // a damaged checksum line is not a YAML key either
}

/** The text after its checksum line. */
export function withoutChecksum(text: string): string {
  return text.startsWith(PREFIX) ? text.slice(text.indexOf("\n") + 1) : text;
}

export function sha256Of(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

export function checksumMismatch(uri: string): ScytheError {
  return new ScytheError("storage", `${uri} is damaged: its SHA-256 is not the one in its first line`, {
    hint: "Restore it from a copy of the run, if there is one.",
    details: { uri },
  });
}

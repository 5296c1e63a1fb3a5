import { ScytheError } from "../errors.ts";

/** Longest name of most file systems; a longer segment could not be written to disk. */
const SEGMENT_BYTES = 255;
const KEY_BYTES = 1024;

/** Refuses keys that could leave a storage's root, mean different things on two systems, or not exist on a disk. */
export function assertKey(key: string): void {
  if (Buffer.byteLength(key) <= KEY_BYTES && key.split("/").every(isSegment)) return;
  throw new ScytheError("storage", `Not a storage key: ${JSON.stringify(key)}`, { details: { key } });
}

/** As {@link assertKey}, for a prefix of keys: the last segment may be incomplete or empty. */
export function assertPrefix(prefix: string): void {
  if (prefix !== "") assertKey(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
}

/**
 * Whether a text is a valid segment of a key: not `..`, no drive (`C:`), no character that some system reads as a
 * separator.
 */
export function isSegment(text: string): boolean {
  if (text === "" || text === "." || text === ".." || /[\0/\\]|^[A-Za-z]:/.test(text)) return false;
  return Buffer.byteLength(text) <= SEGMENT_BYTES;
}

import { ScytheError } from "../errors.ts";

/** What file systems take as one name; on disk, a longer segment could be written nowhere. */
const SEGMENT_BYTES = 255;
const KEY_BYTES = 1024;

/** Refuses keys that could leave a storage's root, mean two things on two systems, or lie on no disk. */
export function assertKey(key: string): void {
  if (Buffer.byteLength(key) <= KEY_BYTES && key.split("/").every(isSegment)) return;
  throw new ScytheError("storage", `Not a storage key: ${JSON.stringify(key)}`, { details: { key } });
}

/** As {@link assertKey}, for the beginning of keys: the last segment may be cut short, or empty. */
export function assertPrefix(prefix: string): void {
  if (prefix !== "") assertKey(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
}

/** A name between two slashes of a key: no way up, no drive (`C:`), nothing that one system reads as a separator. */
export function isSegment(text: string): boolean {
  if (text === "" || text === "." || text === ".." || /[\0/\\]|^[A-Za-z]:/.test(text)) return false;
  return Buffer.byteLength(text) <= SEGMENT_BYTES;
}

import { ScytheError } from "../errors.ts";

/** Refuses keys that could leave a storage's root or mean two things on two systems. */
export function assertKey(key: string): void {
  const segments = key.split("/");
  const bad =
    segments.some((s) => s === "" || s === "." || s === "..") || /[\0\\]/.test(key) || Buffer.byteLength(key) > 1024;
  if (bad) throw new ScytheError("storage", `Not a storage key: ${JSON.stringify(key)}`, { details: { key } });
}

/** As {@link assertKey}, for the beginning of keys: the last segment may be cut short, or empty. */
export function assertPrefix(prefix: string): void {
  if (prefix !== "") assertKey(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
}

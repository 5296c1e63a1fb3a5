import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Storage } from "../storage/storage.ts";

/** The specs of a node as a file on this machine, brought once. */
export async function specsPathOf(storage: Storage, key: string, scratch: string): Promise<string> {
  if (storage.localPath) return storage.localPath(key);
  const copy = join(scratch, "specs", key.replaceAll("/", "_"));
  if (!existsSync(copy)) await storage.getFile(key, copy);
  return copy;
}

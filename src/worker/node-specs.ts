import { existsSync } from "node:fs";
import { join } from "node:path";
import type { NodePath, RunLayout } from "../run/layout.ts";
import type { Storage } from "../storage/storage.ts";

/** The specs of a node as a file on this machine, brought once. */
export async function nodeSpecsPath(
  storage: Storage,
  layout: RunLayout,
  path: NodePath,
  scratch: string,
): Promise<string> {
  const key = layout.nodeSpecs(path);
  if (storage.localPath) return storage.localPath(key);
  const copy = join(scratch, "specs", key.replaceAll("/", "_"));
  if (!existsSync(copy)) await storage.getFile(key, copy);
  return copy;
}

import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "../../files/artifacts.ts";
import { renameOver } from "../../platform/rename-over.ts";
import type { NodePath } from "../../run/layout.ts";
import { damagedInput } from "../../scatter/check-inputs.ts";
import { nodeSpecs, type RunInfo } from "../../scatter/run-task.ts";
import { localCopy } from "../../storage/local-copy.ts";
import type { Storage } from "../../storage/storage.ts";

/**
 * The specs of a node as a local file, downloaded once.
 * @throws ScytheError `storage` when they are damaged; after a repair, the next call downloads them again
 */
export async function specsPathOf(storage: Storage, run: RunInfo, path: NodePath, scratch: string): Promise<string> {
  const key = nodeSpecs(run, path);
  if (storage.localPath) return storage.localPath(key);
  const kept = join(scratch, "specs", key.replaceAll("/", "_"));
  if (existsSync(kept)) return kept;
  const folder = join(scratch, "specs");
  await mkdir(folder, { recursive: true });
  const copy = await localCopy(storage, key, folder);
  if (!(await isWhole(run, key, copy))) {
    await rm(copy, { force: true });
    throw damagedInput(storage, key, "is damaged: its SHA-256 is not the recorded one");
  }
  await renameOver(copy, kept); // of two concurrent downloads either will do
  return kept;
}

/** Only the run's own specs have a recorded hash, and not in runs of earlier versions. */
async function isWhole({ layout, details }: RunInfo, key: string, path: string): Promise<boolean> {
  if (key !== layout.specs || details.specs_sha256 === undefined) return true;
  return (await hashFile(path)) === details.specs_sha256;
}

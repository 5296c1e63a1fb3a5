import { constants } from "node:fs";
import { copyFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fingerprint, hashFile } from "../../files/artifacts.ts";
import { contentMark } from "../../files/content-mark.ts";
import { RunLayout } from "../../run/layout.ts";
import { withLocalCopy } from "../../storage/local-copy.ts";
import type { Storage } from "../../storage/storage.ts";
import type { OutputFile } from "../protocol.ts";
import { safeExtension } from "../task/take-files.ts";

export interface StoredOutput {
  /** Its name in the run. */
  stored: string;
  bytes: number;
  sha256: string;
}

type Stored = Omit<OutputFile, "row">;

/**
 * Stores an output file. The recorded hash is that of the stored content, even if a process left by the spec keeps
 * writing to the file.
 */
export async function storeOutput(
  storage: Storage,
  layout: RunLayout,
  file: Stored,
  attempt: string,
): Promise<StoredOutput> {
  const before = await contentMark(file.path);
  const content = await fingerprint(file.path);
  const { name, written } = await storeUnder(storage, layout, file, content.sha256, attempt);
  if (!written || (await contentMark(file.path)) === before) return { stored: name, ...content };
  const steady = `${file.path}.steady`; // a name unknown to the spec
  await copyFile(file.path, steady, constants.COPYFILE_FICLONE);
  await storage.putFile(layout.key(RunLayout.resultPath(file.field, name)), steady);
  return { stored: name, ...(await fingerprint(steady)) };
}

/** If another attempt has stored other content under the name, this one gets a unique name. */
async function storeUnder(
  storage: Storage,
  layout: RunLayout,
  { field, path, name }: Stored,
  sha256: string,
  attempt: string,
): Promise<{ name: string; written: boolean }> {
  const key = layout.key(RunLayout.resultPath(field, name));
  const first = await storage.putFile(key, path, { ifAbsent: true });
  if (first.written || (await holds(storage, key, path, sha256))) return { name, written: first.written };
  const extension = safeExtension(name);
  const own = `${name.slice(0, name.length - extension.length)}-${attempt}${extension}`;
  await storage.putFile(layout.key(RunLayout.resultPath(field, own)), path);
  return { name: own, written: true };
}

async function holds(storage: Storage, key: string, path: string, sha256: string): Promise<boolean> {
  return withLocalCopy(storage, key, dirname(path), async (held) => (await hashFile(held)) === sha256);
}

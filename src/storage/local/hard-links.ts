import { link, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ownedName } from "../../temporary.ts";

/** What systems say where there are no hard links: FAT and exFAT, SMB, FUSE, Android, Windows on FAT. */
const REFUSALS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EACCES", "EISDIR", "EINVAL"];

/** Whether a link may have failed because there are none here. Where it has failed for lack of rights, so will the rest. */
export function isNoLink(error: unknown): boolean {
  return REFUSALS.includes((error as NodeJS.ErrnoException).code ?? "");
}

/** Tries it in a folder of unfinished files, which is made. */
export async function takesHardLinks(folder: string): Promise<boolean> {
  const [file, second] = [join(folder, ownedName()), join(folder, ownedName())];
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(file, "");
    await link(file, second);
    return true;
  } catch (error) {
    if (isNoLink(error)) return false;
    throw error;
  } finally {
    for (const path of [file, second]) await rm(path, { force: true });
  }
}

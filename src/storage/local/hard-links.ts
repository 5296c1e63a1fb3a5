import { link, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ownedName } from "../../temporary.ts";

/** Error codes of systems without hard links: FAT and exFAT, SMB, FUSE, Android, Windows on FAT. */
const REFUSALS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EACCES", "EISDIR", "EINVAL"];

/**
 * Whether a link may have failed because hard links are not supported. If it failed for missing permissions, later
 * steps fail too.
 */
export function isNoLink(error: unknown): boolean {
  return REFUSALS.includes((error as NodeJS.ErrnoException).code ?? "");
}

/** Tests hard links in a folder of temporary files, which is created. */
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

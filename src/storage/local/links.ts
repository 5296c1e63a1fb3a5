import { realpathSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname, sep } from "node:path";
import { ScytheError } from "../../errors.ts";
import { fail, isAbsent } from "./errors.ts";

/**
 * Refuses a path that leaves the root through a symbolic link below it. The root itself may be a link: its owner chose
 * the disk.
 * @throws ScytheError `storage`
 */
export async function assertInside(root: string, path: string): Promise<void> {
  const [realRoot, real] = await Promise.all([resolved(root), nearest(root, path)]);
  if (realRoot !== undefined && real !== undefined) assertBelow(realRoot, real, path);
}

/** {@link assertInside} for an existing path; a missing one is accepted. */
export function assertInsideSync(root: string, path: string): void {
  try {
    assertBelow(realpathSync.native(root), realpathSync.native(path), path);
  } catch (error) {
    if (error instanceof ScytheError) throw error;
  }
}

function assertBelow(root: string, real: string, path: string): void {
  if (real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) return;
  throw new ScytheError("storage", `${path} is a link out of the storage, to ${real}`, {
    hint: "A storage must contain its files: replace the link by its target.",
    details: { path },
  });
}

/** The real path, or that of its nearest existing parent. */
async function nearest(root: string, path: string): Promise<string | undefined> {
  for (let at = path; ; at = dirname(at)) {
    const real = await resolved(at);
    if (real !== undefined || at === root || at === dirname(at)) return real;
  }
}

/** Undefined for a missing path, including a broken link. */
async function resolved(path: string): Promise<string | undefined> {
  return realpath(path).catch((error: unknown) => (isAbsent(error) ? undefined : fail(error, "look at", path)));
}

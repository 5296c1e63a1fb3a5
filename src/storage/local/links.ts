import { realpathSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname, sep } from "node:path";
import { ScytheError } from "../../errors.ts";
import { fail, isAbsent } from "./errors.ts";

/**
 * Refuses a path that a symbolic link below the root leads out of it. The root itself may be a link: that is its
 * owner's choice of a disk.
 * @throws ScytheError `storage`
 */
export async function assertInside(root: string, path: string): Promise<void> {
  const [realRoot, real] = await Promise.all([resolved(root), nearest(root, path)]);
  if (realRoot !== undefined && real !== undefined) assertBelow(realRoot, real, path);
}

/** {@link assertInside} for a path that is there; one that is not leads nowhere. */
export function assertInsideSync(root: string, path: string): void {
  try {
    assertBelow(realpathSync.native(root), realpathSync.native(path), path);
  } catch (error) {
    if (error instanceof ScytheError) throw error;
  }
}

function assertBelow(root: string, real: string, path: string): void {
  if (real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) return;
  throw new ScytheError("storage", `${path} leads out of the storage by a link, to ${real}`, {
    hint: "A storage holds its files itself: replace the link by what it points to.",
    details: { path },
  });
}

/** Where the path, or what there is of it, really lies. */
async function nearest(root: string, path: string): Promise<string | undefined> {
  for (let at = path; ; at = dirname(at)) {
    const real = await resolved(at);
    if (real !== undefined || at === root || at === dirname(at)) return real;
  }
}

/** Undefined for what is not there, a link to nothing among them. */
async function resolved(path: string): Promise<string | undefined> {
  return realpath(path).catch((error: unknown) => (isAbsent(error) ? undefined : fail(error, "look at", path)));
}

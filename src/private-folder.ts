import { closeSync, constants, fchmodSync, fstatSync, lstatSync, mkdirSync, mkdtempSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ScytheError } from "./errors.ts";

const OTHERS = 0o077;

/**
 * Creates or reuses a folder that only this user may read or change.
 * @throws ScytheError `storage` when it belongs to another user, or is a link
 */
export function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  assertFolder(path);
  const uid = process.getuid?.();
  if (uid === undefined) return; // this system has no owners and modes
  // checks and changes the opened folder itself: its name may be replaced meanwhile
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const { uid: owner, mode } = fstatSync(folder);
    if (owner !== uid) throw refused(path, `belongs to another user (uid ${owner})`);
    if ((mode & OTHERS) !== 0) fchmodSync(folder, 0o700);
  } finally {
    closeSync(folder);
  }
}

/** @throws ScytheError `storage` for a link or anything else that is not a folder; a missing one is accepted */
export function assertFolder(path: string): void {
  const info = lstatSync(path, { throwIfNoEntry: false });
  if (info && !info.isDirectory()) throw refused(path, info.isSymbolicLink() ? "is a link" : "is not a folder");
}

function refused(path: string, why: string): ScytheError {
  return new ScytheError("storage", `${path} ${why}, so it is not used`, {
    hint: "Remove it, or use another place: TMPDIR for temporary files, SCYTHE_CACHE_DIR for fetched ones.",
    details: { path },
  });
}

const roots = new Map<string, string>();

/**
 * The folder for temporary files of this user's processes. If another user has taken its name in a shared temporary
 * folder, this process creates its own.
 */
export function temporaryRoot(): string {
  const shared = tmpdir();
  const known = roots.get(shared);
  if (known !== undefined && lstatSync(known, { throwIfNoEntry: false })) return known;
  let root = join(shared, `scythe-${process.getuid?.() ?? "user"}`);
  try {
    makePrivate(root);
  } catch (error) {
    if (!(error instanceof ScytheError)) throw error;
    root = mkdtempSync(join(shared, "scythe-"));
  }
  roots.set(shared, root);
  return root;
}

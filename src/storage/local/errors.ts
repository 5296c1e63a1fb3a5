import { messageOf, ScytheError } from "../../errors.ts";

/** The file does not exist. */
export function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

function isFolder(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EISDIR";
}

/** An empty listing for a missing folder. */
export function absent(error: unknown, root: string): never[] {
  if (isAbsent(error)) return [];
  return fail(error, "list", root);
}

/** @throws ScytheError `not_found` for a missing file that is read, `storage` for any other error, with a hint */
export function fail(error: unknown, action: string, path: string): never {
  if (error instanceof ScytheError) throw error;
  if ((isAbsent(error) || isFolder(error)) && action === "read") {
    throw new ScytheError("not_found", `No file ${path}`, { cause: error, details: { path } });
  }
  throw new ScytheError("storage", `Could not ${action} ${path}: ${messageOf(error)}`, {
    hint: hintFor((error as NodeJS.ErrnoException).code),
    cause: error,
    details: { path },
  });
}

function hintFor(code: string | undefined): string {
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") return "Choose a folder you may write to (--storage).";
  if (code === "ENOSPC" || code === "EDQUOT") return "The disk is full: free some space, then resume the run.";
  if (code === "ENOTDIR" || code === "EEXIST")
    return "A file exists where a folder is needed: choose another --storage.";
  return "Check that the disk is mounted and the folder is readable.";
}

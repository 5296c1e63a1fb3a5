import { constants, copyFileSync, lstatSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { RUN_SCHEME, RunLayout } from "../../run/layout.ts";
import type { Column } from "../../schema/columns.ts";
import { hasScheme } from "../../schema/file-ref.ts";
import type { OutputFile } from "../protocol.ts";

/** Provides the folder of a spec's output files. */
export interface SpecFolder {
  readonly tempDir: string;
  /** Moves the folder to a place unknown to the spec; returns the new path. */
  detachTempDir(): string;
}

export type TakenFile = Omit<OutputFile, "row">;

interface Found {
  field: string;
  /** Path within the folder. */
  path: string;
  name: string;
}

/**
 * Replaces local paths in a spec's output by their future paths in the run, and takes the files at once, so that later
 * specs cannot change them, even at the same path.
 * @returns the files; or what is wrong with one, as text
 */
export function takeFiles(
  columns: readonly Column[],
  values: Record<string, unknown>,
  runId: () => string,
  folder: SpecFolder,
): TakenFile[] | string {
  const found: Found[] = [];
  for (const { name: field } of columns) {
    const value = values[field];
    if (value === null || value === undefined) continue;
    const many = Array.isArray(value);
    const stored: (string | null)[] = [];
    for (const [i, reference] of ((many ? value : [value]) as (string | null)[]).entries()) {
      if (reference === null || isRemote(reference)) {
        stored.push(reference);
        continue;
      }
      const file = find(reference, folder.tempDir);
      if ("problem" in file) return `named ${file.problem.replace("$field", field)}`;
      const name = `${runId()}${many ? `-${i}` : ""}${safeExtension(file.given)}`;
      found.push({ field, path: file.path, name });
      stored.push(RUN_SCHEME + RunLayout.resultPath(field, name));
    }
    values[field] = many ? stored : stored[0];
  }
  return found.length === 0 ? [] : take(found, folder.detachTempDir());
}

/** Kept as text: a URI of something stored elsewhere. */
function isRemote(reference: string): boolean {
  return hasScheme(reference) && !isFileUrl(reference);
}

function isFileUrl(reference: string): boolean {
  return /^file:/i.test(reference);
}

/** The path in the folder that a reference resolves to, following links. */
function find(reference: string, folder: string): { given: string; path: string } | { problem: string } {
  const given = isFileUrl(reference) ? localPath(reference) : reference;
  if (given === undefined) return { problem: `a file in $field by a URL that is not a local path: ${reference}` };
  const path = isAbsolute(given) ? given : resolve(folder, given);
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info) return { problem: `a file in $field that does not exist: ${path}` };
  const root = join(realpathSync(dirname(folder)), basename(folder)); // the folder itself must not be a link
  const inside = relative(root, realpathSync(path));
  if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    const why = "Write it to ctx.tempDir, or copy it there: elsewhere another spec may change it before it is stored.";
    return { problem: `a file in $field that is not in its ctx.tempDir: ${path}. ${why}` };
  }
  if (!info.isFile()) return { problem: `something in $field that is not a file: ${path}` };
  return { given, path: inside };
}

function localPath(url: string): string | undefined {
  try {
    return fileURLToPath(url);
  } catch {
    return undefined; // a URL of another host, or with an encoded slash
  }
}

function take(found: readonly Found[], detached: string): TakenFile[] {
  return found.map(({ field, path, name }, i) => {
    const taken = join(detached, path);
    if (lstatSync(taken).nlink === 1) return { field, path: taken, name };
    const own = `${taken}.${i}.taken`; // a hard link: the file could be changed through its other name
    copyFileSync(taken, own, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    return { field, path: own, name };
  });
}

const COMPRESSED = /^\.(gz|bz2|xz|zst|br|lz4)$/i;
const SAFE_EXTENSION = /^\.[A-Za-z0-9_-]{1,16}$/;

/** The extension that shows the file's type: `.csv`, or for a compressed file both (`.tar.gz`). */
export function safeExtension(path: string): string {
  const last = extname(path);
  if (!SAFE_EXTENSION.test(last)) return "";
  const inner = COMPRESSED.test(last) ? extname(basename(path, last)) : "";
  return SAFE_EXTENSION.test(inner) ? `${inner}${last}` : last;
}

import { constants, copyFileSync, lstatSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { RUN_SCHEME, RunLayout } from "../../run/layout.ts";
import type { Column } from "../../schema/columns.ts";
import { hasScheme } from "../../schema/file-ref.ts";
import type { OutputFile } from "../protocol.ts";

/** Has the folder that a spec's output files lie in. */
export interface SpecFolder {
  readonly tempDir: string;
  /** Puts it, with all that is in it, where the spec does not look any more; returns where. */
  sealTempDir(): string;
}

export type TakenFile = Omit<OutputFile, "row">;

interface Found {
  field: string;
  /** Within the folder. */
  path: string;
  name: string;
}

/**
 * Replaces local paths in a spec's output by where the files will lie in the run, and takes the files at once: what the
 * next spec writes, at the same path even, cannot reach them any more.
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
  return found.length === 0 ? [] : take(found, folder.sealTempDir());
}

/** Kept as text: it names something that lies elsewhere for good. */
function isRemote(reference: string): boolean {
  return hasScheme(reference) && !isFileUrl(reference);
}

function isFileUrl(reference: string): boolean {
  return /^file:/i.test(reference);
}

/** Where in the folder a reference leads, links followed. */
function find(reference: string, folder: string): { given: string; path: string } | { problem: string } {
  const given = isFileUrl(reference) ? localPath(reference) : reference;
  if (given === undefined)
    return { problem: `a file in $field by a URL that is no path of this machine: ${reference}` };
  const path = isAbsolute(given) ? given : resolve(folder, given);
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info) return { problem: `a file in $field that does not exist: ${path}` };
  const root = join(realpathSync(dirname(folder)), basename(folder)); // the folder itself may not be a link
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
    return undefined; // of another host, or with a slash in a name
  }
}

function take(found: readonly Found[], sealed: string): TakenFile[] {
  return found.map(({ field, path, name }, i) => {
    const taken = join(sealed, path);
    if (lstatSync(taken).nlink === 1) return { field, path: taken, name };
    const own = `${taken}.${i}.taken`; // it has another name somewhere, through which it can be changed
    copyFileSync(taken, own, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    return { field, path: own, name };
  });
}

const COMPRESSED = /^\.(gz|bz2|xz|zst|br|lz4)$/i;
const SAFE_EXTENSION = /^\.[A-Za-z0-9_-]{1,16}$/;

/** What a reader tells a file's kind by: `.csv`, and of a compressed file what is in it, too (`.tar.gz`). */
export function safeExtension(path: string): string {
  const last = extname(path);
  if (!SAFE_EXTENSION.test(last)) return "";
  const inner = COMPRESSED.test(last) ? extname(basename(path, last)) : "";
  return SAFE_EXTENSION.test(inner) ? `${inner}${last}` : last;
}

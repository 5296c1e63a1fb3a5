import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { temporaryRoot } from "./private-folder.ts";
import { machineMark, startMark, UNKNOWN_START } from "./process-identity.ts";

/**
 * Names of temporary files and folders. Each contains its process, so that files left by a killed process can be told
 * from those in use, and removed.
 */

const NAME = /p([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{16}/;
const DAY_MS = 24 * 60 * 60_000;
/** Age from which a file of a process on another machine counts as abandoned. */
const FOREIGN_MS = DAY_MS;
/** Age from which a temporary folder counts as abandoned; it may be from before a reboot, or from another container. */
const FOREIGN_FOLDER_MS = 7 * DAY_MS;

let ownStart: string | undefined;

/** A new name owned by this process. */
export function ownedName(): string {
  ownStart ??= startMark(process.pid) ?? UNKNOWN_START;
  return `p${machineMark()}-${process.pid}-${ownStart}-${randomBytes(8).toString("hex")}`;
}

/**
 * True when the process that owns the name is dead, even if another has its id now. Undefined when unknown: a name of
 * another machine, or not one of ours.
 */
export function isAbandoned(name: string): boolean | undefined {
  const [, machine, pid, start] = NAME.exec(name) ?? [];
  if (machine !== machineMark()) return undefined;
  const now = startMark(Number(pid));
  return now === undefined || (now !== start && ![now, start].includes(UNKNOWN_START));
}

/** Creates a temporary folder of this process, whose files may be lost at any time. */
export async function makeScratch(kind: string): Promise<string> {
  return mkdtemp(scratchPrefix(kind));
}

/** {@link makeScratch} for the time of `work`. */
export async function withScratch<T>(kind: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await makeScratch(kind);
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Synchronous {@link makeScratch}. */
export function makeScratchSync(kind: string): string {
  return mkdtempSync(scratchPrefix(kind));
}

function scratchPrefix(kind: string): string {
  return join(temporaryRoot(), `${kind}-${ownedName()}-`);
}

/**
 * Removes temporary folders of this user's killed processes. Only in the folder that no other user may write to:
 * elsewhere a name proves neither ownership nor where a folder leads.
 */
export async function removeAbandonedScratch(): Promise<void> {
  const root = temporaryRoot();
  const names = await readdir(root).catch(() => []);
  for (const name of names) {
    const path = join(root, name);
    if (NAME.test(name) && (isAbandoned(name) ?? (await isOlder(path, FOREIGN_FOLDER_MS)))) await remove(path);
  }
}

/** Removes temporary files of dead processes, in a folder that contains nothing else. */
export async function removeAbandonedFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!NAME.test(name)) continue;
    const path = join(folder, name);
    if (isAbandoned(name) ?? (await isOldFile(path))) await remove(path);
  }
}

async function isOldFile(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info?.isFile() === true && (await isOlder(path, FOREIGN_MS));
}

async function isOlder(path: string, ms: number): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && Date.now() - info.mtimeMs > ms;
}

/** Errors are ignored: the next call tries again. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { temporaryRoot } from "./private-folder.ts";
import { machineMark, startMark, UNKNOWN_START } from "./process-identity.ts";

/**
 * Names of unfinished files and folders. Each says which process it belongs to, so that what a killed one left behind is
 * told from what a living one still writes, and goes as soon as somebody looks.
 */

const NAME = /p([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{16}/;
const DAY_MS = 24 * 60 * 60_000;
/** A file of a process that cannot be asked, being on another machine, is taken for litter after this long. */
const FOREIGN_MS = DAY_MS;
/** So is a temporary folder, which may be of before this machine was started, or of another container. */
const FOREIGN_FOLDER_MS = 7 * DAY_MS;

let ownStart: string | undefined;

/** A new name that this process owns. */
export function ownedName(): string {
  ownStart ??= startMark(process.pid) ?? UNKNOWN_START;
  return `p${machineMark()}-${process.pid}-${ownStart}-${randomBytes(8).toString("hex")}`;
}

/**
 * True when the process that a name was made by is dead, even when another one has its id by now.
 * Undefined when that cannot be told: the name is of another machine, or no name of ours.
 */
export function isAbandoned(name: string): boolean | undefined {
  const [, machine, pid, start] = NAME.exec(name) ?? [];
  if (machine !== machineMark()) return undefined;
  const now = startMark(Number(pid));
  return now === undefined || (now !== start && ![now, start].includes(UNKNOWN_START));
}

/** Makes a folder of this process for what may be lost at any time. */
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

/** {@link makeScratch} for where nothing can be waited for. */
export function makeScratchSync(kind: string): string {
  return mkdtempSync(scratchPrefix(kind));
}

function scratchPrefix(kind: string): string {
  return join(temporaryRoot(), `${kind}-${ownedName()}-`);
}

/**
 * Removes temporary folders that this user's processes left which were killed. In the folder that only this user may write
 * to: elsewhere a name says nothing of whose a folder is, nor of where it leads when it is removed.
 */
export async function removeAbandonedScratch(): Promise<void> {
  const root = temporaryRoot();
  const names = await readdir(root).catch(() => []);
  for (const name of names) {
    const path = join(root, name);
    if (NAME.test(name) && (isAbandoned(name) ?? (await isOlder(path, FOREIGN_FOLDER_MS)))) await remove(path);
  }
}

/** Removes unfinished files in a folder that holds nothing else, when whoever wrote them is dead. */
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

/** What cannot be removed now is looked at again the next time. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

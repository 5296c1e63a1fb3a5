import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { ScytheError } from "../errors.ts";
import { renameOver } from "../platform/rename-over.ts";
import { makePrivate } from "../private-folder.ts";
import { ownedName, removeAbandonedFiles } from "../temporary.ts";
import { hashFile } from "./artifacts.ts";
import { KnownContents } from "./content-mark.ts";

/** A file used this recently may still be in use by a task; it is removed only when nothing older is left. */
const IN_USE_MS = 15 * 60_000;
/** A file used this recently is never removed. */
const IN_HAND_MS = 60_000;
const TOUCH_MS = 30_000;

/**
 * A cache of downloaded files, shared by all processes of this user and bounded in size. A file appears completely or
 * not at all, is used only while its content is unchanged, and concurrent requests share one download.
 */
export class FileCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #known = new KnownContents();
  readonly #touched = new Map<string, number>();
  readonly #pending = new Map<string, Promise<string>>();
  #ready: Promise<void> | undefined;

  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /**
   * The local path of the content named by `identity`; downloaded by `bring` when it is missing or was modified.
   * @param identity changes with the content: for example a URI and its etag
   * @param name the file's name, so that a function sees the expected extension
   * @throws ScytheError `storage` when the folder belongs to another user, or files in use leave no space
   */
  get(identity: string, name: string, bring: (path: string) => Promise<void>): Promise<string> {
    let path = this.#pending.get(identity);
    if (!path) {
      path = this.#get(identity, name, bring);
      this.#pending.set(identity, path);
      const done = () => this.#pending.delete(identity);
      path.then(done, done);
    }
    return path;
  }

  async #get(identity: string, name: string, bring: (path: string) => Promise<void>): Promise<string> {
    this.#ready ??= this.#open().catch((error) => {
      this.#ready = undefined; // try again at the next call: the folder may have been repaired
      throw error;
    });
    await this.#ready;
    const folder = join(this.#folder, createHash("sha256").update(identity).digest("hex").slice(0, 32));
    const path = join(folder, safeName(name));
    const recorded = await readFile(recordOf(folder), "utf8").catch(() => undefined);
    if (recorded !== undefined && (await this.#known.is(path, recorded))) {
      await this.#touch(path, recorded);
      return path;
    }
    const temp = join(this.#folder, `${ownedName()}.part`);
    try {
      await bring(temp);
      const sha256 = await hashFile(temp);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(`${temp}.sha256`, sha256);
      await renameOver(`${temp}.sha256`, recordOf(folder));
      await renameOver(temp, path);
      await this.#shrink(folder);
      await this.#known.is(path, sha256);
    } finally {
      await rm(temp, { force: true });
      await rm(`${temp}.sha256`, { force: true });
    }
    return path;
  }

  /** Opens the folder and removes partial downloads of killed processes. */
  async #open(): Promise<void> {
    makePrivate(this.#folder);
    await removeAbandonedFiles(this.#folder);
  }

  /** Marks a file as used from time to time. That changes its mark, so its content is checked again. */
  async #touch(path: string, sha256: string): Promise<void> {
    const now = Date.now();
    if (now - (this.#touched.get(path) ?? 0) < TOUCH_MS) return;
    this.#touched.set(path, now);
    await utimes(path, new Date(now), new Date(now)).catch(() => undefined); // it was removed by another process
    await this.#known.is(path, sha256);
  }

  /**
   * Removes the least recently used files until the rest fits.
   * @param brought the folder that must stay
   */
  async #shrink(brought: string): Promise<void> {
    const files = (await this.#files()).sort((a, b) => a.used - b.used);
    let bytes = files.reduce((sum, file) => sum + file.size, 0);
    for (const least of [IN_USE_MS, IN_HAND_MS]) {
      for (const file of files) {
        if (bytes <= this.#maxBytes) return;
        if (file.gone || file.folder === brought || Date.now() - file.used < least) continue;
        await remove(file.folder);
        file.gone = true;
        bytes -= file.size;
      }
    }
    if (bytes <= this.#maxBytes) return;
    await remove(brought);
    throw new ScytheError(
      "storage",
      `The file cache ${this.#folder} is full: all of its ${this.#maxBytes} bytes are in use`,
      {
        hint: "Raise cache.maxBytes in the config, or put cache.folder (SCYTHE_CACHE_DIR) on a larger disk.",
      },
    );
  }

  async #files(): Promise<{ folder: string; size: number; used: number; gone?: boolean }[]> {
    const folders = await readdir(this.#folder);
    const found = await Promise.all(
      folders.map(async (name) => {
        const folder = join(this.#folder, name);
        const [file] = await readdir(folder).catch(() => []);
        const info = file && (await stat(join(folder, file)).catch(() => undefined));
        return info ? [{ folder, size: info.size, used: info.mtimeMs }] : [];
      }),
    );
    return found.flat();
  }
}

/** The path of a file's recorded SHA-256, next to its folder. */
function recordOf(folder: string): string {
  return `${folder}.sha256`;
}

async function remove(folder: string): Promise<void> {
  await rm(recordOf(folder), { force: true });
  await rm(folder, { recursive: true, force: true });
}

function safeName(name: string): string {
  const safe = basename(name)
    .replace(/[^A-Za-z0-9_.-]/g, "_")
    .slice(-128);
  return /^\.*$/.test(safe) ? "file" : safe;
}

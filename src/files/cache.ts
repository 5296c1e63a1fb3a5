import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { basename, join } from "node:path";
import { ownedName, removeAbandonedFiles } from "../temporary.ts";

/** A file that was used this recently may be in a task's hands and is kept. */
const IN_USE_MS = 15 * 60_000;

/**
 * Files brought to this machine, shared by all processes on it and bounded in size. A file appears whole or not at all;
 * tasks of this process that want the same one share its download.
 */
export class FileCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  #tidied: Promise<void> | undefined;
  readonly #coming = new Map<string, Promise<string>>();

  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /**
   * The local path of what `identity` names; brought by `bring` when it is not there.
   * @param identity changes with the content: a URI and its etag, say
   * @param name the file's name, so that a function sees the extension that it expects
   */
  get(identity: string, name: string, bring: (path: string) => Promise<void>): Promise<string> {
    let path = this.#coming.get(identity);
    if (!path) {
      path = this.#get(identity, name, bring);
      this.#coming.set(identity, path);
      const done = () => this.#coming.delete(identity);
      path.then(done, done);
    }
    return path;
  }

  async #get(identity: string, name: string, bring: (path: string) => Promise<void>): Promise<string> {
    const folder = join(this.#folder, createHash("sha256").update(identity).digest("hex").slice(0, 32));
    const path = join(folder, safeName(name));
    const now = new Date();
    if (await touch(path, now)) return path;
    const temp = join(this.#folder, `${ownedName()}.part`);
    try {
      await this.#tidy();
      await mkdir(folder, { recursive: true });
      await bring(temp);
      await rename(temp, path);
    } finally {
      await rm(temp, { force: true });
    }
    await this.#shrink();
    return path;
  }

  /** Removes, once, what killed processes have left half-brought. */
  #tidy(): Promise<void> {
    this.#tidied ??= removeAbandonedFiles(this.#folder);
    return this.#tidied;
  }

  /** Removes what was used longest ago until the rest fits. */
  async #shrink(): Promise<void> {
    const files = await this.#files();
    let bytes = files.reduce((sum, file) => sum + file.size, 0);
    for (const file of files.sort((a, b) => a.used - b.used)) {
      if (bytes <= this.#maxBytes || Date.now() - file.used < IN_USE_MS) return;
      await rm(file.folder, { recursive: true, force: true });
      bytes -= file.size;
    }
  }

  async #files(): Promise<{ folder: string; size: number; used: number }[]> {
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

/** Marks a file as used; false when it is not there. */
async function touch(path: string, now: Date): Promise<boolean> {
  try {
    await utimes(path, now, now);
    return true;
  } catch {
    return false;
  }
}

function safeName(name: string): string {
  const safe = basename(name)
    .replace(/[^A-Za-z0-9_.-]/g, "_")
    .slice(-128);
  return /^\.*$/.test(safe) ? "file" : safe;
}

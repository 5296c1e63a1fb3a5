import { stat } from "node:fs/promises";
import { ScytheError } from "../errors.ts";
import { hashFile } from "./artifacts.ts";

/** Changes with the content of a file, and costs no reading of it; undefined when there is none. */
export async function contentMark(path: string): Promise<string | undefined> {
  const info = await stat(path, { bigint: true }).catch(() => undefined);
  return info && `${info.ino} ${info.size} ${info.mtimeNs} ${info.ctimeNs}`;
}

/** Remembers which files were found to have which content, so that one that has not changed is read once. */
export class KnownContents {
  readonly #known = new Map<string, string>();

  /** False also for a file that is not there. */
  async is(path: string, sha256: string): Promise<boolean> {
    const mark = await contentMark(path);
    if (mark === undefined) return false;
    if (this.#known.get(path) === `${mark} ${sha256}`) return true;
    if ((await hashFile(path).catch(() => undefined)) !== sha256) return false;
    this.#known.set(path, `${mark} ${sha256}`);
    return true;
  }

  /** @throws ScytheError `storage` unless the file that was brought for `uri` is what the run recorded */
  async assert(path: string, sha256: string, uri: string): Promise<void> {
    if (await this.is(path, sha256)) return;
    throw new ScytheError("storage", `${path}, brought for ${uri}, has not the SHA-256 that the run recorded`, {
      hint: "The run's file is damaged, or this machine's cache of files is: remove it there and try again.",
    });
  }
}

import { stat } from "node:fs/promises";
import { ScytheError } from "../errors.ts";
import { hashFile } from "./artifacts.ts";

/** A value that changes with a file's content, without reading the file; undefined when there is none. */
export async function contentMark(path: string): Promise<string | undefined> {
  const info = await stat(path, { bigint: true }).catch(() => undefined);
  return info && `${info.ino} ${info.size} ${info.mtimeNs} ${info.ctimeNs}`;
}

/** Remembers the verified content of files, so that an unchanged file is read once. */
export class KnownContents {
  readonly #known = new Map<string, string>();

  /** Whether the file has this hash; false when it is missing. */
  async is(path: string, sha256: string): Promise<boolean> {
    const mark = await contentMark(path);
    if (mark === undefined) return false;
    if (this.#known.get(path) === `${mark} ${sha256}`) return true;
    if ((await hashFile(path).catch(() => undefined)) !== sha256) return false;
    this.#known.set(path, `${mark} ${sha256}`);
    return true;
  }

  /** @throws ScytheError `storage` unless the file downloaded for `uri` has the recorded hash */
  async assert(path: string, sha256: string, uri: string): Promise<void> {
    if (await this.is(path, sha256)) return;
    throw new ScytheError(
      "storage",
      `${path}, downloaded for ${uri}, does not have the SHA-256 that the run recorded`,
      {
        hint: "The run's file is damaged, or this machine's file cache is: remove the file there and try again.",
      },
    );
  }
}

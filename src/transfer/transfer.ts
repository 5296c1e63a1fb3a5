import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import pMap, { pMapSkip } from "p-map";
import { isScytheError, messageOf, ScytheError } from "../errors.ts";
import { hashFile } from "../files/artifacts.ts";
import { assertFolder, temporaryRoot } from "../private-folder.ts";
import type { Storage } from "../storage/storage.ts";

/** An object to copy from one storage to another. */
export interface TransferItem {
  from: string;
  to: string;
  /** Bytes. */
  size: number;
  etag: string;
  /** Hex SHA-256, where the run recorded one. */
  sha256: string | undefined;
  /** Copied after all others; several such items one after the other. */
  last?: boolean;
}

/** How far a transfer has come. */
export interface TransferProgress {
  files: number;
  bytes: number;
  totalFiles: number;
  totalBytes: number;
  /** Files that an earlier transfer had copied. */
  skipped: number;
}

/** How objects are copied between storages. */
export interface TransferOptions {
  /** Objects copied concurrently: small ones wait for the network, not for the disk. */
  concurrency?: number;
  /** No further object is started once it is aborted. */
  signal?: AbortSignal;
  /** Called as files arrive. */
  onProgress?: (progress: TransferProgress) => void;
  /** True when the target already has the item. @internal */
  isThere?: (item: TransferItem) => Promise<boolean>;
  /** Called when an item has been copied, with its etag in the target. @internal */
  onArrived?: (item: TransferItem, etag: string) => Promise<void> | void;
}

const CONCURRENCY = 32;
/** After this many failures the storage is at fault, not an object: the others would only take long to fail too. */
const MAX_FAILURES = 20;
/** Scratch folders older than this are from killed transfers. */
const LITTER_MS = 24 * 60 * 60 * 1000;
const SCRATCH = "transfer-";

/**
 * Copies objects to another storage, many concurrently. Each appears completely or not at all, and is checked against
 * its hash if one is known.
 * @throws ScytheError `storage` naming the first object that could not be copied and counting the others; `cancelled`
 * when the signal was aborted
 */
export async function transfer(
  source: Storage,
  target: Storage,
  items: readonly TransferItem[],
  options: TransferOptions = {},
): Promise<TransferProgress> {
  const scratch = await makeScratch(target);
  const work = new Transfer(source, target, items, options, scratch);
  try {
    await work.copyAll(items.filter((item) => !item.last));
    if (work.mayContinue) await work.copyAll(items.filter((item) => item.last === true));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  work.assertDone();
  return work.progress;
}

class Transfer {
  readonly progress: TransferProgress;
  readonly #source: Storage;
  readonly #target: Storage;
  readonly #options: TransferOptions;
  readonly #scratch: string;
  readonly #failures: { item: TransferItem; error: unknown }[] = [];
  #files = 0;

  constructor(
    source: Storage,
    target: Storage,
    items: readonly TransferItem[],
    options: TransferOptions,
    scratch: string,
  ) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
    this.#scratch = scratch;
    const totalBytes = items.reduce((sum, item) => sum + item.size, 0);
    this.progress = { files: 0, bytes: 0, totalFiles: items.length, totalBytes, skipped: 0 };
  }

  get mayContinue(): boolean {
    return this.#failures.length === 0 && !this.#options.signal?.aborted;
  }

  /** Items marked `last` are copied one by one. */
  async copyAll(items: readonly TransferItem[]): Promise<void> {
    const copy = async (item: TransferItem) => {
      // no `signal` for p-map: it would not wait for items in progress
      if (this.#failures.length < MAX_FAILURES && !this.#options.signal?.aborted) await this.#copyOne(item);
      return pMapSkip;
    };
    await pMap(items, copy, { concurrency: items[0]?.last ? 1 : (this.#options.concurrency ?? CONCURRENCY) });
  }

  /** @throws ScytheError unless every item was copied */
  assertDone(): void {
    const { files, totalFiles } = this.progress;
    if (this.#failures.length > 0) {
      const { item, error } = this.#failures[0]!;
      const untried = totalFiles - files - this.#failures.length;
      const others = untried > 0 ? ` (${untried} were not tried)` : "";
      throw new ScytheError(
        "storage",
        `${this.#failures.length} of ${totalFiles} files could not be copied${others}; the first: ${item.from}: ${messageOf(error)}`,
        {
          hint: (isScytheError(error) && error.hint) || "Run the same command again: files that were copied are kept.",
          cause: error,
          details: { keys: this.#failures.map((failure) => failure.item.from) },
        },
      );
    }
    if (files < totalFiles) {
      throw new ScytheError("cancelled", `Stopped after ${files} of ${totalFiles} files`, {
        hint: "Run the same command again: files that were copied are skipped.",
      });
    }
  }

  async #copyOne(item: TransferItem): Promise<void> {
    try {
      if (await this.#options.isThere?.(item)) this.progress.skipped++;
      else {
        const etag = await this.#copy(item, join(this.#scratch, String(this.#files++)));
        await this.#options.onArrived?.(item, etag);
      }
      this.progress.files++;
      this.progress.bytes += item.size;
      this.#options.onProgress?.({ ...this.progress });
    } catch (error) {
      this.#failures.push({ item, error });
    }
  }

  /** Copies through a scratch file that is checked before it gets its name. */
  async #copy(item: TransferItem, scratch: string): Promise<string> {
    const path = this.#source.localPath?.(item.from) ?? scratch;
    try {
      if (path === scratch) await this.#source.getFile(item.from, path);
      if (item.sha256 !== undefined && (await hashFile(path)) !== item.sha256) {
        throw damaged(this.#source.uriOf(item.from));
      }
      const put = await this.#target.putFile(item.to, path, { move: path === scratch });
      if (put.written) return put.etag;
      throw new ScytheError("internal", `${this.#target.uriOf(item.to)} was not written`);
    } finally {
      if (path === scratch) await rm(scratch, { force: true });
    }
  }
}

export function damaged(uri: string): ScytheError {
  return new ScytheError("storage", `${uri} is damaged: its SHA-256 is not the recorded one`, {
    hint: "Restore it from a copy of the run, if there is one; otherwise run its specs again.",
    details: { uri },
  });
}

/** On the target's disk, so that a file gets its name by a rename. */
async function makeScratch(target: Storage): Promise<string> {
  const folder = target.scratch ?? temporaryRoot();
  try {
    assertFolder(folder);
    await mkdir(folder, { recursive: true });
    if (target.scratch !== undefined) await removeLitter(folder);
    return await mkdtemp(join(folder, SCRATCH));
  } catch (error) {
    throw new ScytheError("storage", `Could not write in ${folder}: ${messageOf(error)}`, {
      hint: "Choose a folder you may write to.",
      cause: error,
    });
  }
}

async function removeLitter(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(SCRATCH)) continue;
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info && Date.now() - info.mtimeMs > LITTER_MS) await rm(path, { recursive: true, force: true });
  }
}

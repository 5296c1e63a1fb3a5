import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import pMap, { pMapSkip } from "p-map";
import { isScytheError, messageOf, ScytheError } from "../errors.ts";
import { hashFile } from "../files/artifacts.ts";
import { assertFolder, temporaryRoot } from "../private-folder.ts";
import type { Storage } from "../storage/storage.ts";

/** An object on its way from one storage to another. */
export interface TransferItem {
  from: string;
  to: string;
  /** Bytes. */
  size: number;
  etag: string;
  /** Hex SHA-256, where the run recorded one. */
  sha256: string | undefined;
  /** To be brought when all others have arrived; of several such, one after the other. */
  last?: boolean;
}

export interface TransferProgress {
  files: number;
  bytes: number;
  totalFiles: number;
  totalBytes: number;
  /** Files that an earlier transfer had brought. */
  skipped: number;
}

export interface TransferOptions {
  /** Objects under way at once: small ones wait for the network, not for the disk. */
  concurrency?: number;
  /** No further object is begun once it is aborted. */
  signal?: AbortSignal;
  onProgress?: (progress: TransferProgress) => void;
  /** True when the target holds the item already. */
  isThere?: (item: TransferItem) => Promise<boolean>;
  /** Called when an item has arrived whole, with its etag in the target. */
  onArrived?: (item: TransferItem, etag: string) => Promise<void> | void;
}

const CONCURRENCY = 32;
/** With so many failures it is the storage that fails, not an object: the others would only take long to fail, too. */
const MOST_FAILURES = 20;
/** Scratch of a transfer that was killed. */
const LITTER_MS = 24 * 60 * 60 * 1000;
const SCRATCH = "transfer-";

/**
 * Brings objects to another storage, many at once; each appears whole or not at all, and is checked against its hash
 * where one is known.
 * @throws ScytheError `storage` that names the first object that could not be brought and counts the others;
 *   `cancelled` when the signal was aborted
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
    await work.bringAll(items.filter((item) => !item.last));
    if (work.goesOn) await work.bringAll(items.filter((item) => item.last === true));
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

  get goesOn(): boolean {
    return this.#failures.length === 0 && !this.#options.signal?.aborted;
  }

  /** Items that come last do so one by one. */
  async bringAll(items: readonly TransferItem[]): Promise<void> {
    const bring = async (item: TransferItem) => {
      // no `signal` for p-map: it would leave what is under way behind
      if (this.#failures.length < MOST_FAILURES && !this.#options.signal?.aborted) await this.#bringOne(item);
      return pMapSkip;
    };
    await pMap(items, bring, { concurrency: items[0]?.last ? 1 : (this.#options.concurrency ?? CONCURRENCY) });
  }

  /** @throws ScytheError unless every item is there */
  assertDone(): void {
    const { files, totalFiles } = this.progress;
    if (this.#failures.length > 0) {
      const { item, error } = this.#failures[0]!;
      const untried = totalFiles - files - this.#failures.length;
      const others = untried > 0 ? ` (${untried} were not tried)` : "";
      throw new ScytheError(
        "storage",
        `${this.#failures.length} of ${totalFiles} files could not be brought${others}; the first: ${item.from}: ${messageOf(error)}`,
        {
          hint: (isScytheError(error) && error.hint) || "Run the same command again: what has arrived stays.",
          cause: error,
          details: { keys: this.#failures.map((failure) => failure.item.from) },
        },
      );
    }
    if (files < totalFiles) {
      throw new ScytheError("cancelled", `Stopped after ${files} of ${totalFiles} files`, {
        hint: "Run the same command again: what has arrived is not brought twice.",
      });
    }
  }

  async #bringOne(item: TransferItem): Promise<void> {
    try {
      if (await this.#options.isThere?.(item)) this.progress.skipped++;
      else {
        const etag = await this.#bring(item, join(this.#scratch, String(this.#files++)));
        await this.#options.onArrived?.(item, etag);
      }
      this.progress.files++;
      this.progress.bytes += item.size;
      this.#options.onProgress?.({ ...this.progress });
    } catch (error) {
      this.#failures.push({ item, error });
    }
  }

  /** By way of a file that is checked before it gets its name. */
  async #bring(item: TransferItem, scratch: string): Promise<string> {
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
    hint: "Restore it from a copy of the run, if there is one; else run its specs again.",
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

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, ScytheError } from "../errors.ts";
import { hashFile } from "../files/artifacts.ts";
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
  onProgress?: (progress: TransferProgress) => void;
  /** True when the target holds the item already. */
  isThere?: (item: TransferItem) => Promise<boolean>;
  /** Called when an item has arrived whole. */
  onArrived?: (item: TransferItem) => Promise<void>;
}

const CONCURRENCY = 32;

/**
 * Brings objects to another storage, many at once; each appears whole or not at all, and is checked against its hash
 * where one is known.
 * @throws ScytheError `storage` that names the first object that could not be brought and counts the others
 */
export async function transfer(
  source: Storage,
  target: Storage,
  items: readonly TransferItem[],
  options: TransferOptions = {},
): Promise<TransferProgress> {
  const totalBytes = items.reduce((sum, item) => sum + item.size, 0);
  const progress: TransferProgress = { files: 0, bytes: 0, totalFiles: items.length, totalBytes, skipped: 0 };
  const failures: { item: TransferItem; error: unknown }[] = [];
  const scratch = await mkdtemp(join(tmpdir(), "scythe-transfer-"));
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item; item = items[next++]) {
      try {
        if (await options.isThere?.(item)) progress.skipped++;
        else {
          await bring(source, target, item, join(scratch, String(next)));
          await options.onArrived?.(item);
        }
        progress.files++;
        progress.bytes += item.size;
        options.onProgress?.({ ...progress });
      } catch (error) {
        failures.push({ item, error });
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(options.concurrency ?? CONCURRENCY, items.length) }, worker));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  if (failures.length === 0) return progress;
  const { item, error } = failures[0]!;
  throw new ScytheError(
    "storage",
    `${failures.length} of ${items.length} files could not be brought; the first: ${item.from}: ${messageOf(error)}`,
    { hint: "Run the same command again: what has arrived is not brought twice.", cause: error },
  );
}

async function bring(source: Storage, target: Storage, item: TransferItem, scratch: string): Promise<void> {
  const path = source.localPath?.(item.from) ?? target.localPath?.(item.to) ?? scratch;
  if (!source.localPath) await source.getFile(item.from, path);
  if (item.sha256 !== undefined && (await hashFile(path)) !== item.sha256) {
    if (path !== source.localPath?.(item.from)) await rm(path, { force: true });
    throw new ScytheError("storage", `${source.uriOf(item.from)} is damaged: its SHA-256 is not the recorded one`, {
      hint: "If the run has its scatter-gather/ folder still, its tables can be built anew.",
    });
  }
  if (source.localPath || !target.localPath) {
    await target.putFile(item.to, path, { move: path === scratch });
  }
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ScytheError } from "../errors.ts";
import type { RunLayout } from "../run/layout.ts";
import type { Storage } from "../storage/storage.ts";
import { isTaskTable, listRunFiles, type RunFile, type RunPart } from "./run-files.ts";
import { type TransferItem, type TransferOptions, type TransferProgress, transfer } from "./transfer.ts";

export interface DownloadOptions extends Pick<TransferOptions, "concurrency" | "onProgress"> {
  /** Default: final, results and specs. */
  what?: readonly RunPart[];
  /** Files of this input or output field only. */
  field?: string;
}

export interface Downloaded extends TransferProgress {
  /** The run's folder under the target. */
  folder: string;
}

const DEFAULT: readonly RunPart[] = ["final", "results", "specs"];
const RECORD = "download.json";

/**
 * Brings a run to a folder, which is a storage like any other then: `openProject(…, { storage: folder })` reads it.
 * What an earlier download brought is not brought again.
 * @throws ScytheError `not_found` when nothing matches, `storage` when some files could not be brought
 */
export async function downloadRun(
  source: Storage,
  layout: RunLayout,
  target: Storage & Required<Pick<Storage, "localPath">>,
  options: DownloadOptions = {},
): Promise<Downloaded> {
  const wanted = new Set<RunFile["part"]>(["about", ...(options.what ?? DEFAULT)]);
  const files = (await listRunFiles(source, layout)).filter(
    (file) => wanted.has(file.part) && !isTaskTable(file) && matches(file, options.field),
  );
  if (!files.some((file) => file.part !== "about")) throw nothing(layout, options);
  const record = await DownloadRecord.open(target, layout);
  const items = apart(files).map(({ file, path }) => itemOf(file, layout.key(path)));
  const progress = await transfer(source, target, items, {
    ...options,
    isThere: async (item) => record.has(item) && (await target.head(item.to))?.size === item.size,
    onArrived: async (item) => record.add(item),
  }).finally(() => record.save());
  return { ...progress, folder: target.localPath(layout.experimentId) };
}

function matches(file: RunFile, field: string | undefined): boolean {
  return field === undefined || file.field === field || file.part === "about" || file.part === "final";
}

function itemOf(file: RunFile, to: string): TransferItem {
  return { from: file.key, to, size: file.size, etag: file.etag, sha256: file.sha256 };
}

function nothing(layout: RunLayout, { what, field }: DownloadOptions): ScytheError {
  const asked = [what && `of ${what.join(", ")}`, field && `for field ${field}`].filter(Boolean).join(" ");
  return new ScytheError("not_found", `Run ${layout.experimentId} has no files ${asked}`.trimEnd(), {
    hint: "`scythe show` lists what it has.",
  });
}

/** Names that some file systems take for one (case, Unicode form) are kept apart by a number. */
export function apart(files: readonly RunFile[]): { file: RunFile; path: string }[] {
  const taken = new Set<string>();
  return files.map((file) => {
    let { path } = file;
    for (let n = 2; taken.has(fold(path)); n++) path = numbered(file.path, n);
    taken.add(fold(path));
    return { file, path };
  });
}

function fold(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

function numbered(path: string, n: number): string {
  const dot = path.lastIndexOf(".");
  const at = dot > path.lastIndexOf("/") ? dot : path.length;
  return `${path.slice(0, at)}~${n}${path.slice(at)}`;
}

/** Remembers which content of which object was brought, beside the downloaded run. */
class DownloadRecord {
  readonly #target: Storage;
  readonly #key: string;
  readonly #etags: Map<string, string>;

  private constructor(target: Storage, key: string, etags: Map<string, string>) {
    this.#target = target;
    this.#key = key;
    this.#etags = etags;
  }

  static async open(
    target: Storage & Required<Pick<Storage, "localPath">>,
    layout: RunLayout,
  ): Promise<DownloadRecord> {
    const key = join(layout.experimentId, RECORD);
    const text = await readFile(target.localPath(key), "utf8").catch(() => "{}");
    try {
      return new DownloadRecord(target, key, new Map(Object.entries(JSON.parse(text) as Record<string, string>)));
    } catch {
      return new DownloadRecord(target, key, new Map()); // damaged: everything is brought anew
    }
  }

  has(item: TransferItem): boolean {
    return this.#etags.get(item.to) === item.etag;
  }

  add(item: TransferItem): void {
    this.#etags.set(item.to, item.etag);
  }

  async save(): Promise<void> {
    await this.#target.put(this.#key, JSON.stringify(Object.fromEntries(this.#etags)));
  }
}

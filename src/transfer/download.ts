import { isScytheError, ScytheError } from "../errors.ts";
import { hashFile } from "../files/artifacts.ts";
import type { RunLayout } from "../run/layout.ts";
import { readManifest } from "../run/manifest.ts";
import type { RunPart } from "../run/run-paths.ts";
import type { Storage } from "../storage/storage.ts";
import { DownloadRecord } from "./download-record.ts";
import { isTaskTable, leftOutOf, listRunFiles, type RunFile, withOutputHashes } from "./run-files.ts";
import { type TransferItem, type TransferOptions, type TransferProgress, transfer } from "./transfer.ts";

/** What of a run is downloaded, and how. */
export interface DownloadOptions extends Pick<TransferOptions, "concurrency" | "onProgress" | "signal"> {
  /** Default: final, results and specs; with a field: final, results and artifacts. */
  what?: readonly RunPart[];
  /** Files of this input or output field only. */
  field?: string;
}

/** What a download has brought. */
export interface Downloaded extends TransferProgress {
  /** The run's folder under the target. */
  folder: string;
  /** Files in the run's folder that do not belong to a run and are not downloaded. */
  leftOut: string[];
}

type Folder = Storage & Required<Pick<Storage, "localPath">>;

/**
 * Downloads a run to a folder, which is then a storage like any other: `openProject(…, { storage: folder })` reads it.
 * Files are not changed, so the hashes hold; references in tables point to where the run was made. Files of an earlier
 * download are skipped. The run's descriptions come last: until then it is not a run there.
 * @throws ScytheError `not_found` when nothing matches, `conflict` when the target has such a run that was not
 * downloaded, `storage` when some files could not be downloaded, `cancelled` when the signal was aborted
 */
export async function downloadRun(
  source: Storage,
  layout: RunLayout,
  target: Folder,
  options: DownloadOptions = {},
): Promise<Downloaded> {
  const all = await listRunFiles(source, layout);
  const files = chosen(all, layout, options);
  const hashed = await withOutputHashes(
    source,
    layout,
    files.map(({ file }) => file),
  );
  const record = await DownloadRecord.open(target, layout);
  await assertFree(source, layout, target, record);
  if (!record.found) await record.save(); // marks the folder as a download, even if this one is interrupted
  const items = files
    .map(({ path }, i) => itemOf(hashed[i]!, layout, path))
    .sort((a, b) => rank(layout, a) - rank(layout, b));
  const progress = await transfer(source, target, items, {
    ...options,
    isThere: (item) => isThere(target, record, item),
    onArrived: (item, etag) => record.add(item, etag),
  }).finally(() => record.save());
  return { ...progress, folder: target.localPath(layout.experimentId), leftOut: leftOutOf(all) };
}

/** Names are assigned over all files, so that they do not depend on the choice. */
function chosen(
  all: readonly RunFile[],
  layout: RunLayout,
  { what, field }: DownloadOptions,
): { file: RunFile; path: string }[] {
  if (field !== undefined) assertField(all, layout, field);
  const parts = what ?? (field === undefined ? ["final", "results", "specs"] : ["final", "results", "artifacts"]);
  const wanted = new Set<RunFile["part"]>(["about", ...parts]);
  const files = withDistinctNames(all.filter(({ part }) => part !== "tree" && part !== "other")).filter(
    ({ file }) => wanted.has(file.part) && !isTaskTable(file) && matches(file, field),
  );
  if (files.some(({ file }) => file.part !== "about")) return files;
  const asked = [`of ${parts.join(", ")}`, field && `for field ${field}`].filter(Boolean).join(" ");
  throw new ScytheError("not_found", `Run ${layout.experimentId} has no files ${asked}`, {
    hint: "`scythe show` lists what it has.",
  });
}

function assertField(files: readonly RunFile[], layout: RunLayout, field: string): void {
  const fields = [...new Set(files.filter((file) => !isTaskTable(file)).flatMap((file) => file.field ?? []))];
  if (fields.includes(field)) return;
  throw new ScytheError("not_found", `Run ${layout.experimentId} has no files of a field ${JSON.stringify(field)}`, {
    hint: fields.length > 0 ? `It has files of: ${fields.join(", ")}.` : "It has no files other than its tables.",
  });
}

function matches(file: RunFile, field: string | undefined): boolean {
  return field === undefined || file.field === field || file.part === "about" || file.part === "final";
}

function itemOf(file: RunFile, layout: RunLayout, path: string): TransferItem {
  const last = file.part === "about";
  return { from: file.key, to: layout.key(path), size: file.size, etag: file.etag, sha256: file.sha256, last };
}

/** The report marks the run as complete, and the manifest makes it a run: so they come last. */
function rank(layout: RunLayout, item: TransferItem): number {
  return [layout.report, layout.manifest].indexOf(item.from);
}

/** A file that has changed since it arrived is downloaded again, unless its hash is right. */
async function isThere(target: Folder, record: DownloadRecord, item: TransferItem): Promise<boolean> {
  if (!record.has(item)) return false;
  const now = await target.head(item.to);
  if (now?.size !== item.size) return false;
  if (now.etag === record.arrivedAs(item)) return true;
  return item.sha256 !== undefined && (await hashFile(target.localPath(item.to))) === item.sha256;
}

/** The target may be another storage by mistake: its runs must not be overwritten. */
async function assertFree(source: Storage, layout: RunLayout, target: Storage, record: DownloadRecord): Promise<void> {
  if (target.uri === source.uri) {
    throw new ScytheError("conflict", `Run ${layout.experimentId} is stored in ${target.uri} itself`, {
      hint: "Choose another folder.",
    });
  }
  const theirs = await manifestOf(target, layout);
  if (!theirs) return;
  const ours = await manifestOf(source, layout);
  if (record.found && theirs.workflow_run_id === ours?.workflow_run_id) return;
  throw new ScytheError("conflict", `${target.uri} has a run ${layout.experimentId} that was not downloaded`, {
    hint: "Choose another folder.",
  });
}

async function manifestOf(storage: Storage, layout: RunLayout) {
  return readManifest(storage, layout).catch((error: unknown) => {
    if (isScytheError(error) && error.code === "not_found") return undefined;
    throw error;
  });
}

/** Makes names distinct that some file systems consider equal (case, Unicode form), by a number. */
export function withDistinctNames(files: readonly RunFile[]): { file: RunFile; path: string }[] {
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

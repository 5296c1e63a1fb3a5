import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ScytheError } from "../errors.ts";
import { hashFile } from "../files/artifacts.ts";
import { addChecksum, checksumState, sha256Of, withoutChecksum } from "../run/checksum.ts";
import type { RunLayout } from "../run/layout.ts";
import { readManifest } from "../run/manifest.ts";
import { isComplete, type Report, readReport, reportText } from "../run/report.ts";
import { readState } from "../run/state.ts";
import { localCopy } from "../storage/local-copy.ts";
import { getText, type Storage } from "../storage/storage.ts";
import { withDuckDb } from "../table/duckdb.ts";
import { type Move, relocateTable } from "../table/relocate.ts";
import { makeScratch } from "../temporary.ts";
import { leftOutOf, listRunFiles, type RunFile, withOutputHashes } from "./run-files.ts";
import { damaged, type TransferOptions, type TransferProgress, transfer } from "./transfer.ts";

/**
 * Copies a complete run to another storage. References to its own files are rewritten to their new location, in tables
 * and descriptions. The manifest comes last; until then the copy is not a run.
 * @throws ScytheError `conflict` when the target has the run, or the run is not complete; `cancelled` when the signal
 * was aborted
 */
export async function copyRun(
  source: Storage,
  layout: RunLayout,
  target: Storage,
  options: Pick<TransferOptions, "concurrency" | "onProgress" | "signal"> = {},
): Promise<TransferProgress & { leftOut: string[] }> {
  if (await target.head(layout.manifest)) {
    throw new ScytheError("conflict", `${target.uri} already has run ${layout.experimentId}`, {
      hint: "Choose another storage, or remove the run there.",
    });
  }
  const all = await withOutputHashes(source, layout, await listRunFiles(source, layout));
  const files = all.filter(({ part }) => part !== "tree" && part !== "other");
  const report = await assertComplete(source, layout, files);
  const plain = files.filter((file) => !isTable(file) && !isDescription(file));
  const tables = files.filter(isTable);
  const restBytes = bytesOf(files) - bytesOf(plain);
  const whole = (progress: TransferProgress): TransferProgress => ({
    ...progress,
    totalFiles: files.length,
    totalBytes: progress.totalBytes + restBytes,
  });
  const items = plain.map(({ key, size, etag, sha256 }) => ({ from: key, to: key, size, etag, sha256 }));
  const progress = await transfer(source, target, items, {
    ...options,
    onProgress: (now) => options.onProgress?.(whole(now)),
    isThere: async (item) => (await target.head(item.to))?.size === item.size,
  });
  const copy = new Rewriter(source, layout, target, await movesOf(source, layout, target, files));
  await copy.tables(tables, report, options.signal);
  await copy.descriptions(files.filter(isDescription));
  const done = { ...whole(progress), files: files.length, bytes: bytesOf(files) };
  options.onProgress?.(done);
  return { ...done, leftOut: leftOutOf(all) };
}

/** Tables that may name the run's own files and are rewritten. */
function isTable(file: RunFile): boolean {
  return file.path.endsWith(".pq") && (["final", "specs"].includes(file.part) || file.path.startsWith("history/"));
}

function isDescription(file: RunFile): boolean {
  return file.part === "about" && /\.ya?ml$/.test(file.path);
}

function bytesOf(files: readonly RunFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** A run of Python Scythe has no report: it counts as complete when it has tables. */
async function assertComplete(
  source: Storage,
  layout: RunLayout,
  files: readonly RunFile[],
): Promise<Report | undefined> {
  const [manifest, report, state] = await Promise.all([
    readManifest(source, layout),
    readReport(source, layout),
    readState(source, layout),
  ]);
  const complete = report ? isComplete(state, report) : !manifest.scythe;
  if (complete && files.some((file) => file.part === "final")) return report;
  throw new ScytheError("conflict", `Run ${layout.experimentId} is not complete`, {
    hint: "Wait for its end, or resume it; then copy it.",
  });
}

/** `files`: references to input and output files; `about`: to anything else that a manifest names. */
interface Moves {
  files: Move[];
  about: Move[];
}

/**
 * Maps references to the run's own files to the copy. The run may have been elsewhere when it was written (a moved
 * folder, a download). References to files that the source does not have stay as they are.
 */
async function movesOf(source: Storage, layout: RunLayout, target: Storage, files: readonly RunFile[]): Promise<Moves> {
  const { specs_uri } = await readManifest(source, layout);
  const [, written] = /^(.*)\/specs\.pq$/s.exec(specs_uri) ?? [];
  const places = new Set([source.uriOf(layout.experimentId), written ?? source.uriOf(layout.experimentId)]);
  const to = target.uriOf(layout.experimentId);
  const has = (part: RunFile["part"]) => files.some((file) => file.part === part);
  const moves = (part: string) => [...places].map((from) => ({ from: `${from}/${part}`, to: `${to}/${part}` }));
  const folders = (["artifacts", "results"] as const).filter(has).map((part) => `${part}/`);
  const names = files.filter((file) => isTable(file) || file.part === "about").map((file) => file.path);
  return { files: folders.flatMap(moves), about: names.flatMap(moves) };
}

class Rewriter {
  readonly #source: Storage;
  readonly #layout: RunLayout;
  readonly #target: Storage;
  readonly #moves: Moves;
  /** Maps hashes that the manifest records to those of the copy. */
  readonly #rehashed: Move[] = [];

  constructor(source: Storage, layout: RunLayout, target: Storage, moves: Moves) {
    this.#source = source;
    this.#layout = layout;
    this.#target = target;
    this.#moves = moves;
  }

  /** Copies `final/` and `specs.pq` with references rewritten, then a report with their new hashes. */
  async tables(files: readonly RunFile[], report: Report | undefined, signal: AbortSignal | undefined): Promise<void> {
    const scratch = await makeScratch("copy");
    try {
      for (const file of files) {
        if (signal?.aborted) throw stopped(this.#layout);
        const moved = await this.#rewrite(file, report?.allocated ?? 0, scratch);
        const name = file.path.replace(/^final\/|\.pq$/g, "");
        if (file.sha256 !== undefined) this.#rehashed.push({ from: file.sha256, to: await hashFile(moved) });
        if (file.part === "final" && report?.final[name]) {
          report.final[name] = {
            ...report.final[name],
            bytes: (await stat(moved)).size,
            sha256: await hashFile(moved),
          };
        }
        await this.#target.putFile(file.key, moved, { move: true });
      }
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    if (report) await this.#target.put(this.#layout.report, reportText(report));
  }

  async #rewrite(file: RunFile, rows: number, scratch: string): Promise<string> {
    const original = await localCopy(this.#source, file.key, scratch);
    if (file.sha256 !== undefined && (await hashFile(original)) !== file.sha256) {
      throw damaged(this.#source.uriOf(file.key));
    }
    const moved = join(scratch, "moved.pq");
    await withDuckDb({ tempDir: join(scratch, "spill"), memoryMb: 384 }, rows, (duck) =>
      relocateTable(duck, original, moved, this.#moves.files),
    );
    return moved;
  }

  /** Copies the descriptions other than the report; the manifest last. */
  async descriptions(files: readonly RunFile[]): Promise<void> {
    const last = ({ key }: RunFile) => Number(key === this.#layout.manifest);
    const about = files.filter(({ key }) => key !== this.#layout.report).sort((a, b) => last(a) - last(b));
    for (const { key, sha256 } of about) {
      const found = await getText(this.#source, key);
      if (!found) continue;
      if (sha256 !== undefined && sha256Of(found.text) !== sha256) throw damaged(this.#source.uriOf(key));
      const text = this.#moved(found.text);
      this.#rehashed.push({ from: sha256Of(found.text), to: sha256Of(text) });
      await this.#target.put(key, text);
    }
  }

  /** Rewrites references and recorded hashes, and renews the text's own checksum. */
  #moved(text: string): string {
    const moved = replaced(withoutChecksum(text), [...this.#moves.files, ...this.#moves.about, ...this.#rehashed]);
    return checksumState(text) === "none" ? moved : addChecksum(moved);
  }
}

function replaced(text: string, moves: readonly Move[]): string {
  return moves.reduce((moved, { from, to }) => moved.replaceAll(from, () => to), text);
}

function stopped(layout: RunLayout): ScytheError {
  return new ScytheError("cancelled", `Stopped before ${layout.experimentId} was copied completely`, {
    hint: "Run the same command again: files that were copied are skipped.",
  });
}

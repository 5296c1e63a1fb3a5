import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { ScytheError } from "../errors.ts";
import { hashFile } from "../files/artifacts.ts";
import type { RunLayout } from "../run/layout.ts";
import { readReport } from "../run/report.ts";
import { getText, type Storage } from "../storage/storage.ts";
import { withDuckDb } from "../table/duckdb.ts";
import { relocateTable } from "../table/relocate.ts";
import { listRunFiles, type RunFile } from "./run-files.ts";
import { type TransferOptions, type TransferProgress, transfer } from "./transfer.ts";

/**
 * Copies a complete run to another storage, so that it is whole there: references to its own files are rewritten to
 * where they lie now, in tables and descriptions. The manifest comes last; until then the copy is not a run.
 * @throws ScytheError `conflict` when the target has the run, or the run is not complete
 */
export async function copyRun(
  source: Storage,
  layout: RunLayout,
  target: Storage,
  options: Pick<TransferOptions, "concurrency" | "onProgress"> = {},
): Promise<TransferProgress> {
  if (await target.head(layout.manifest)) {
    throw new ScytheError("conflict", `${target.uri} has run ${layout.experimentId} already`);
  }
  const files = (await listRunFiles(source, layout)).filter((file) => file.part !== "tree");
  if (!files.some((file) => file.part === "final")) {
    throw new ScytheError("conflict", `Run ${layout.experimentId} is not complete`, {
      hint: "Wait for its end, or resume it; then copy it.",
    });
  }
  const scratch = await mkdtemp(join(tmpdir(), "scythe-copy-"));
  try {
    const plain = files.filter((file) => file.part === "results" || file.part === "artifacts");
    const items = plain.map(({ key, size, etag, sha256 }) => ({ from: key, to: key, size, etag, sha256 }));
    const progress = await transfer(source, target, items, {
      ...options,
      isThere: async (item) => (await target.head(item.to))?.size === item.size,
    });
    await copyTables(source, layout, target, files, scratch);
    await copyDescriptions(source, layout, target, files);
    return progress;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** `final/` and `specs.pq` with their references rewritten, and a report that has their new hashes. */
async function copyTables(
  source: Storage,
  layout: RunLayout,
  target: Storage,
  files: readonly RunFile[],
  scratch: string,
): Promise<void> {
  const report = await readReport(source, layout);
  const rows = report?.allocated ?? 0;
  const [from, to] = [source.uriOf(layout.experimentId), target.uriOf(layout.experimentId)];
  for (const file of files.filter(({ part }) => part === "final" || part === "specs")) {
    const original = source.localPath?.(file.key) ?? join(scratch, "original.pq");
    if (!source.localPath) await source.getFile(file.key, original);
    if (file.sha256 !== undefined && (await hashFile(original)) !== file.sha256) {
      throw new ScytheError("storage", `${source.uriOf(file.key)} is damaged: its SHA-256 is not the recorded one`);
    }
    const moved = join(scratch, "moved.pq");
    await withDuckDb({ tempDir: join(scratch, "spill"), memoryMb: 384 }, rows, (duck) =>
      relocateTable(duck, original, moved, `${from}/`, `${to}/`),
    );
    const name = file.path.replace(/^final\/|\.pq$/g, "");
    if (file.part === "final" && report?.final[name]) {
      report.final[name] = { ...report.final[name], bytes: (await stat(moved)).size, sha256: await hashFile(moved) };
    }
    await target.putFile(file.key, moved, { move: true });
  }
  if (report) await target.put(layout.report, stringify(report));
}

async function copyDescriptions(
  source: Storage,
  layout: RunLayout,
  target: Storage,
  files: readonly RunFile[],
): Promise<void> {
  const [from, to] = [source.uriOf(layout.experimentId), target.uriOf(layout.experimentId)];
  const about = files.filter(({ part, key }) => part === "about" && key !== layout.report);
  const last = (key: string) => Number(key === layout.manifest);
  for (const { key } of about.sort((a, b) => last(a.key) - last(b.key))) {
    const found = await getText(source, key);
    if (found) await target.put(key, found.text.replaceAll(`${from}/`, `${to}/`));
  }
}

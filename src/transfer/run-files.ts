import { hashFile } from "../files/artifacts.ts";
import { inputHashes, readInputArtifacts } from "../run/input-artifacts.ts";
import { historyGeneration, type RunLayout } from "../run/layout.ts";
import { type ManifestDetails, readManifest } from "../run/manifest.ts";
import { type FinalFile, readEarlierReport, readReport } from "../run/report.ts";
import { folderOf, type RunFolder } from "../run/run-paths.ts";
import { FILE_COLUMNS } from "../scatter/part-columns.ts";
import { localCopy } from "../storage/local-copy.ts";
import { listAll, type ObjectInfo, type Storage } from "../storage/storage.ts";
import { ParquetReader, readRows } from "../table/read-parquet.ts";
import { withScratch } from "../temporary.ts";

export interface RunFile extends ObjectInfo {
  /** Path within the run. */
  path: string;
  part: RunFolder;
  /** Field of an input or output file. */
  field: string | undefined;
  sha256: string | undefined;
}

/** Every file of a run, with its recorded hash, if any. For hashes of output files see `withOutputHashes`. */
export async function listRunFiles(storage: Storage, layout: RunLayout): Promise<RunFile[]> {
  const objects = (await listAll(storage, layout.key(""))).filter(({ key }) => key !== layout.download);
  const hashes = await recordedHashes(storage, layout, objects);
  return objects.map((object) => {
    const path = layout.within(object.key);
    const [, second, third] = path.split("/");
    const part = folderOf(path);
    const field = third !== undefined && (part === "results" || part === "artifacts") ? second : undefined;
    return { ...object, path, part, field, sha256: hashes.get(path) };
  });
}

/** Python Scythe keeps one Parquet file per spec and table there; `final/` has the same rows. */
export function isTaskTable(file: RunFile): boolean {
  return file.part === "results" && file.field === "task-dataframes";
}

/** Files that do not belong to a run; they are never transferred. */
export function leftOutOf(files: readonly RunFile[]): string[] {
  return files.filter(({ part }) => part === "other").map(({ path }) => path);
}

async function recordedHashes(
  storage: Storage,
  layout: RunLayout,
  objects: readonly ObjectInfo[],
): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  const report = await readReport(storage, layout);
  for (const [name, { sha256 }] of Object.entries(report?.final ?? {})) hashes.set(`final/${name}.pq`, sha256);
  const outputs = report?.output_artifacts;
  if (outputs) hashes.set(layout.within(layout.outputArtifacts), outputs.sha256);
  for (const [path, { sha256 }] of await earlierErrors(storage, layout, objects)) hashes.set(path, sha256);
  for (const [path, sha256] of inputHashes(await readInputArtifacts(storage, layout))) hashes.set(path, sha256);
  for (const [key, sha256] of describedHashes(layout, (await readManifest(storage, layout)).scythe)) {
    hashes.set(layout.within(key), sha256);
  }
  return hashes;
}

/** The errors of earlier generations: path within the run, and its record in that generation's report. */
async function earlierErrors(
  storage: Storage,
  layout: RunLayout,
  objects: readonly ObjectInfo[],
): Promise<[string, Omit<FinalFile, "name">][]> {
  const generations = new Set(objects.flatMap(({ key }) => historyGeneration(layout.within(key)) ?? []));
  const recorded: [string, Omit<FinalFile, "name">][] = [];
  for (const generation of generations) {
    const errors = (await readEarlierReport(storage, layout, generation))?.final.errors;
    if (errors) recorded.push([layout.within(layout.history(generation, "errors.pq")), errors]);
  }
  return recorded;
}

/** Key and hash of the files that the manifest records. */
export function describedHashes(layout: RunLayout, details: ManifestDetails | null): [string, string][] {
  const recorded: [string, string | null | undefined][] = [
    [layout.specs, details?.specs_sha256],
    [layout.ioSpec, details?.io_spec_sha256],
    [layout.inputArtifacts, details?.input_artifacts_sha256],
    [layout.workflowSpec, details?.workflow_spec_sha256],
    [layout.study, details?.study_sha256],
  ];
  return recorded.filter((entry): entry is [string, string] => typeof entry[1] === "string");
}

/** An output file, as it was when it was stored. */
export interface RecordedOutput {
  /** Within the run. */
  path: string;
  bytes: number;
  sha256: string;
}

/** What `output_artifacts.pq` says, a row group in memory at a time. @param file where it lies on this machine */
export async function* recordedOutputs(file: string): AsyncGenerator<RecordedOutput> {
  const reader = await ParquetReader.open(file);
  try {
    for await (const row of readRows(reader, FILE_COLUMNS)) yield row as unknown as RecordedOutput;
  } finally {
    reader.close();
  }
}

/**
 * The same files, those of `results/` with their recorded hashes. A damaged record gives none: who brings the record
 * itself finds that out.
 */
export async function withOutputHashes(storage: Storage, layout: RunLayout, files: RunFile[]): Promise<RunFile[]> {
  const record = files.find(({ key }) => key === layout.outputArtifacts);
  if (record?.sha256 === undefined || !files.some(({ part }) => part === "results")) return files;
  return withScratch("outputs", async (scratch) => {
    const local = await localCopy(storage, record.key, scratch);
    if ((await hashFile(local)) !== record.sha256) return files;
    const hashes = new Map<string, string>();
    for await (const { path, sha256 } of recordedOutputs(local)) hashes.set(path, sha256);
    return files.map((file) => ({ ...file, sha256: file.sha256 ?? hashes.get(file.path) }));
  });
}

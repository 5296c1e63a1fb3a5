import { rm } from "node:fs/promises";
import { hashFile } from "../files/artifacts.ts";
import type { RunLayout } from "../run/layout.ts";
import { FILE_COLUMNS } from "../scatter/part-columns.ts";
import { localCopy } from "../storage/local-copy.ts";
import type { Storage } from "../storage/storage.ts";
import { ParquetReader, readRows } from "../table/read-parquet.ts";
import { makeScratch } from "../temporary.ts";
import type { RunFile } from "./run-files.ts";

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
  const scratch = await makeScratch("outputs");
  try {
    const local = await localCopy(storage, record.key, scratch);
    if ((await hashFile(local)) !== record.sha256) return files;
    const hashes = new Map<string, string>();
    for await (const { path, sha256 } of recordedOutputs(local)) hashes.set(path, sha256);
    return files.map((file) => ({ ...file, sha256: file.sha256 ?? hashes.get(file.path) }));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

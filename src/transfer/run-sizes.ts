import type { RunFile } from "./run-files.ts";

/** Number and total size of files. */
export interface Size {
  files: number;
  bytes: number;
}

/** The size of a run in storage, in total and by part. */
export interface RunSizes extends Size {
  final: Size;
  results: Size & { fields: Record<string, Size> };
  artifacts: Size & { fields: Record<string, Size> };
  specs: Size;
  /** `scatter-gather/` */
  tree: Size;
  /** Manifest, report and other descriptions. */
  about: Size;
  /** Files in the run's folder that do not belong to a run. */
  other: Size;
}

export function runSizes(files: readonly RunFile[]): RunSizes {
  const sizes: RunSizes = {
    ...none(),
    final: none(),
    results: { ...none(), fields: {} },
    artifacts: { ...none(), fields: {} },
    specs: none(),
    tree: none(),
    about: none(),
    other: none(),
  };
  for (const file of files) {
    add(sizes, file);
    add(sizes[file.part], file);
    if (file.field === undefined || (file.part !== "results" && file.part !== "artifacts")) continue;
    const { fields } = sizes[file.part];
    fields[file.field] ??= none();
    add(fields[file.field]!, file);
  }
  return sizes;
}

function none(): Size {
  return { files: 0, bytes: 0 };
}

function add(total: Size, { size }: { size: number }): void {
  total.files++;
  total.bytes += size;
}

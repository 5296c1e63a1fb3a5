import type { RunFile } from "../transfer/run-files.ts";
import type { Style } from "./style.ts";
import { tableText } from "./table-text.ts";
import { bytesText, countText } from "./units.ts";

export interface Size {
  files: number;
  bytes: number;
}

/** What a run takes up in storage, in all and by part. */
export interface RunSizes extends Size {
  final: Size;
  results: Size & { fields: Record<string, Size> };
  artifacts: Size & { fields: Record<string, Size> };
  specs: Size;
  /** `scatter-gather/` */
  tree: Size;
  /** Manifest, report and what else describes the run. */
  about: Size;
  /** What lies in the run's place and is no part of a run. */
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

/** The parts that have anything, fields under their part, the total last. */
export function sizesText(sizes: RunSizes, style: Style, width: number | undefined): string {
  const { final, results, artifacts, specs, tree, about, other } = sizes;
  const parts: [string, Size][] = [
    ["final/", final],
    ["results/", results],
    ...fieldsOf(results.fields),
    ["artifacts/", artifacts],
    ...fieldsOf(artifacts.fields),
    ["specs.pq", specs],
    ["scatter-gather/", tree],
    ["descriptions", about],
    ["no part of it", other],
    ["in all", sizes],
  ];
  const rows = parts
    .filter(([, size]) => size.files > 0)
    .map(([name, { files, bytes }]) => [name, countText(files), bytesText(bytes)]);
  const columns = [
    { name: "files of" },
    { name: "count", align: "right" as const },
    { name: "size", align: "right" as const },
  ];
  return tableText(columns, rows, { indent: 2, width, header: style.dim }).text;
}

function fieldsOf(fields: Record<string, Size>): [string, Size][] {
  return Object.entries(fields).map(([name, size]) => [`  ${name}`, size]);
}

function none(): Size {
  return { files: 0, bytes: 0 };
}

function add(total: Size, { size }: { size: number }): void {
  total.files++;
  total.bytes += size;
}

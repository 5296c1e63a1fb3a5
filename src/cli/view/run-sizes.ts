import { bytesText } from "../../bytes-text.ts";
import type { RunSizes, Size } from "../../index.ts";
import type { Style } from "./style.ts";
import { tableText } from "./table-text.ts";
import { countText } from "./units.ts";

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
    ["not part of the run", other],
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

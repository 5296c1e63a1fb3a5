import { cut, displayWidth, pad } from "./display-width.ts";
import type { Paint } from "./style.ts";

export interface TextColumn {
  name: string;
  align?: "left" | "right";
  /** Colours a cell after it has been padded. */
  paint?: (text: string, row: number) => string;
}

export interface TextTable {
  /** Header and rows; no line break at the end. */
  text: string;
  /** Columns that the width had no room for. */
  hidden: string[];
}

export interface TableOptions {
  /** Columns of the terminal; without it, everything is shown in full. */
  width?: number | undefined;
  header?: Paint;
  indent?: number;
}

const GAP = "  ";
/** Text columns are cut no shorter than this to make room; then whole columns go, from the right. */
const NARROWEST = 12;

/** Cells in aligned columns. Numbers (`align: "right"`) are never cut; text is, when the width asks for it. */
export function tableText(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): TextTable {
  const indent = " ".repeat(options.indent ?? 0);
  const natural = columns.map((column, c) =>
    rows.reduce((widest, row) => Math.max(widest, displayWidth(row[c] ?? "")), displayWidth(column.name)),
  );
  const room = options.width === undefined ? Number.POSITIVE_INFINITY : options.width - indent.length;
  const widths = fittedWidths(natural, columns, room);
  const shown = columns.slice(0, widths.length);
  const hidden = columns.slice(widths.length).map(({ name }) => name);
  const line = (cells: readonly string[], paint: (text: string, c: number) => string) => {
    const padded = shown.map(({ align }, c) => paint(pad(cut(cells[c] ?? "", widths[c]!), widths[c]!, align), c));
    return `${indent}${[...padded, ...(hidden.length > 0 ? ["…"] : [])].join(GAP)}`.trimEnd();
  };
  const header = options.header ?? ((text: string) => text);
  const names = shown.map(({ name }) => name);
  const lines = [
    line(names, (text) => header(text)),
    ...rows.map((row, r) => line(row, (text, c) => shown[c]!.paint?.(text, r) ?? text)),
  ];
  return { text: lines.join("\n"), hidden };
}

/** Widths of the columns that are shown: as wide as they would be, or cut, or fewer of them (never none). */
function fittedWidths(natural: readonly number[], columns: readonly TextColumn[], room: number): number[] {
  const widths = [...natural];
  while (total(widths) > room) {
    const widest = widestText(widths, columns);
    if (widest === undefined) break;
    widths[widest] = Math.max(NARROWEST, widths[widest]! - (total(widths) - room));
  }
  if (total(widths) <= room) return widths;
  while (widths.length > 1 && total(widths) + GAP.length + 1 > room) widths.pop();
  return widths;
}

/** The text column that has most to give. */
function widestText(widths: readonly number[], columns: readonly TextColumn[]): number | undefined {
  let best: number | undefined;
  for (const [c, width] of widths.entries()) {
    if (columns[c]!.align === "right" || width <= NARROWEST) continue;
    if (best === undefined || width > widths[best]!) best = c;
  }
  return best;
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, widths.length - 1);
}

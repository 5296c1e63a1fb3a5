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
/** Text columns are cut no shorter than this to make room; then whole columns go, from the middle. */
const NARROWEST = 12;

/** Where a table does not fit anyway, text columns are no wider than this. */
const CAPPED = 24;

/** Cells in aligned columns. Numbers (`align: "right"`) are never cut; text is, when there is no room. */
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
  const slots = layOut(natural, columns, room);
  const line = (cells: readonly string[], paint: (text: string, c: number) => string) => {
    const padded = slots.map((slot) => {
      if (slot === ELLIPSIS) return "…";
      return paint(pad(cut(cells[slot.c] ?? "", slot.width), slot.width, columns[slot.c]!.align), slot.c);
    });
    return `${indent}${padded.join(GAP)}`.trimEnd();
  };
  const header = options.header ?? ((text: string) => text);
  const names = columns.map(({ name }) => name);
  const lines = [
    line(names, (text) => header(text)),
    ...rows.map((row, r) => line(row, (text, c) => columns[c]!.paint?.(text, r) ?? text)),
  ];
  const shown = new Set(slots.map((slot) => (slot === ELLIPSIS ? -1 : slot.c)));
  return { text: lines.join("\n"), hidden: names.filter((_, c) => !shown.has(c)) };
}

const ELLIPSIS = "ellipsis";
type Slot = { c: number; width: number } | typeof ELLIPSIS;

/** The columns that are shown: as wide as they would be, or cut, or without those in the middle (never none). */
function layOut(natural: readonly number[], columns: readonly TextColumn[], room: number): Slot[] {
  const widths = [...natural];
  while (total(widths) > room) {
    const widest = widestText(widths, columns);
    if (widest === undefined) break;
    widths[widest] = Math.max(NARROWEST, widths[widest]! - (total(widths) - room));
  }
  if (total(widths) <= room) return widths.map((width, c) => ({ c, width }));
  return bothEnds(
    natural.map((width, c) => ({ c, width: columns[c]!.align === "right" ? width : Math.min(width, CAPPED) })),
    room - GAP.length - 1,
  );
}

/** As many columns as fit, taken from the left and the right in turn: what went in, and what came out. */
function bothEnds(all: readonly { c: number; width: number }[], room: number): Slot[] {
  const left: Slot[] = [all[0]!];
  const right: Slot[] = [];
  let used = all[0]!.width;
  for (let from = 1, to = all.length - 1; from <= to; ) {
    const next = all[right.length < left.length ? to : from]!;
    used += GAP.length + next.width;
    if (used > room) break;
    if (next.c === to) right.unshift(all[to--]!);
    else left.push(all[from++]!);
  }
  return [...left, ELLIPSIS, ...right];
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

import { createRequire } from "node:module";

/** ASCII, Latin letters, dashes, quotes and `…`: a column each. Most texts have no others. */
export const NARROW = /^[\x20-\x7e\xa0-\xac\xae-\u02ff\u2010-\u2027]*$/;

let stringWidth: typeof import("string-width").default | undefined;

/** Columns that a text takes in a terminal, by what a reader sees as one character. */
export function displayWidth(text: string): number {
  if (NARROW.test(text)) return text.length;
  // loaded when needed: its tables and expressions take 30 ms
  stringWidth ??= (createRequire(import.meta.url)("string-width") as typeof import("string-width")).default;
  return stringWidth(text);
}

/** The longest beginning that fits, with `…` in place of what does not. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  let used = 1;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += displayWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Lines of at most `width` columns, broken between words where that is possible; the last of `most` says so when it is cut. */
export function folded(text: string, width: number, most: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (lines.length < most - 1 && displayWidth(rest) > width) {
    const whole = cut(`${rest} `, width + 1).slice(0, -1); // with the blank it is too long, so it ends in "…"
    const blank = /^ /.test(rest.slice(whole.length)) ? whole.length : whole.lastIndexOf(" ");
    const end = blank > 0 ? blank : whole.length;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, cut(rest, width)];
}

/** Fills up to `width` columns. */
export function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, width - displayWidth(text)));
  return align === "left" ? text + space : space + text;
}
